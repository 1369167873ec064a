// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_files.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "io/loop.h"
#include "io/real_beneath.h"

namespace sim {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using io::FileReply;
using io::FileRequest;
using Kind = FileRequest::Kind;

constexpr io::FileHandle kFirstHandle = 1'000;  // far from the handles of sockets

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

std::unexpected<base::Error> missing() { return fail(Errc::NotFound, "no such file", ENOENT); }

}  // namespace

SimFiles::SimFiles(Core& core, SimThreads& threads, Options options)
    : core_(core), threads_(threads), options_(options), clock_(core) {
  tree_.directories.insert(".");
  durable_ = tree_;
}

void SimFiles::submit(io::Loop& owner, FileRequest request, Done done) {
  const bool syncs = request.kind == Kind::Sync || request.kind == Kind::SyncDirectory;
  const std::uint64_t delay = core_.choices.below(syncs ? options_.sync_ns_max : options_.latency_ns_max);
  operations_.push_back({core_.now_ns + delay, &owner, std::move(request), std::move(done)});
}

void SimFiles::forget(io::Loop& owner) {
  std::erase_if(operations_, [&](const Operation& operation) { return operation.owner == &owner; });
}

std::size_t SimFiles::find_completable() {
  completable_.clear();
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (operations_[i].due_ns <= core_.now_ns) completable_.push_back(i);
  }
  return completable_.size();
}

std::uint64_t SimFiles::next_due_ns() const {
  std::uint64_t next = ~std::uint64_t{0};
  for (const Operation& operation : operations_) next = std::min(next, operation.due_ns);
  return next;
}

void SimFiles::complete(std::size_t index) {
  auto chosen = operations_.begin() + static_cast<std::ptrdiff_t>(completable_[index]);
  if (chosen->request.handle >= 0) {
    // The oldest of the same handle comes first, even if it would have taken longer.
    chosen =
        std::ranges::find(operations_, chosen->request.handle, [](const Operation& o) { return o.request.handle; });
  }
  Operation operation = std::move(*chosen);
  operations_.erase(chosen);
  ++calls_;
  core_.trace.note(core_.now_ns, "file", operation.request.path, static_cast<std::uint64_t>(operation.request.kind),
                   operation.request.data.size());
  core_.trace.note_bytes(operation.request.data);
  const auto failure = failures_.find(calls_);
  Result<FileReply> reply =
      failure == failures_.end() ? carry_out(operation.request) : Result<FileReply>(std::unexpected(failure->second));
  threads_.post_from_disk(*operation.owner, [done = std::move(operation.done), reply = std::move(reply)]() mutable {
    done(std::move(reply));
  });
}

Result<FileReply> SimFiles::carry_out(const FileRequest& request) {
  switch (request.kind) {
    case Kind::ReadBeneath: return read_beneath(request);
    case Kind::Open: return open(request);
    case Kind::ReadAt:
    case Kind::WriteAt:
    case Kind::Sync:
    case Kind::Close: return use_handle(request);
    case Kind::Rename: return rename(request.path, request.to);
    case Kind::Remove: return remove(request.path);
    case Kind::MakeDirectory: return make_directory(request.path);
    case Kind::SyncDirectory: return sync_directory(request.path);
    case Kind::List: return list(request.path);
  }
  return fail(Errc::Unsupported, "no such file operation");
}

Result<FileReply> SimFiles::read_beneath(const FileRequest& request) const {
  if (!io::stays_beneath(request.path)) return missing();
  const std::string path = request.root + '/' + request.path;
  FileReply reply;
  reply.data = TRY(read_now(path, request.size));
  reply.modified_ms = tree_.files.at(path)->modified_ms;
  return reply;
}

Result<FileReply> SimFiles::open(const FileRequest& request) {
  if (tree_.directories.contains(request.path)) return fail(Errc::System, "cannot open a file", EISDIR);
  auto found = tree_.files.find(request.path);
  if (found == tree_.files.end()) {
    if (!request.create || !tree_.directories.contains(parent_of(request.path))) return missing();
    found = tree_.files.emplace(request.path, std::make_shared<File>()).first;
    found->second->modified_ms = clock_.wall_ms();
  }
  const auto free = std::ranges::find(handles_, nullptr);
  FileReply reply;
  reply.handle = kFirstHandle + static_cast<io::FileHandle>(free - handles_.begin());
  if (free == handles_.end())
    handles_.push_back(found->second);
  else
    *free = found->second;
  return reply;
}

Result<FileReply> SimFiles::use_handle(const FileRequest& request) {
  const auto index = static_cast<std::size_t>(request.handle - kFirstHandle);
  if (index >= handles_.size() || !handles_[index]) return fail(Errc::System, "not an open handle", EBADF);
  File& file = *handles_[index];
  FileReply reply;
  if (request.kind == Kind::ReadAt && request.offset < file.content.size()) {
    reply.data = file.content.substr(request.offset, request.size);
  }
  if (request.kind == Kind::WriteAt) {
    file.unsynced.push_back({request.offset, request.data});
    write_into(file.content, file.unsynced.back());
    file.modified_ms = clock_.wall_ms();
  }
  if (request.kind == Kind::Sync) {
    for (const Write& write : file.unsynced) write_into(file.durable, write);
    file.unsynced.clear();
  }
  if (request.kind == Kind::Close) handles_[index] = nullptr;
  return reply;
}

void SimFiles::write_into(std::string& content, const Write& write) {
  if (write.data.empty()) return;
  content.resize(std::max<std::size_t>(content.size(), write.offset + write.data.size()));
  content.replace(write.offset, write.data.size(), write.data);
}

Result<FileReply> SimFiles::rename(const std::string& from, const std::string& to) {
  if (!tree_.directories.contains(parent_of(to))) return missing();
  if (const auto file = tree_.files.find(from); file != tree_.files.end()) {
    if (tree_.directories.contains(to)) return fail(Errc::System, "cannot rename a file", EISDIR);
    const FileRef moved = file->second;
    tree_.files.erase(file);
    tree_.files[to] = moved;
    return FileReply{};
  }
  if (!tree_.directories.contains(from)) return missing();
  if (tree_.files.contains(to)) return fail(Errc::System, "cannot rename a file", ENOTDIR);
  Tree renamed;
  renamed.directories.clear();
  const auto new_name = [&](const std::string& path) {
    return path == from || is_below(path, from) ? to + path.substr(from.size()) : path;
  };
  for (const auto& [path, file] : tree_.files) renamed.files.emplace(new_name(path), file);
  for (const std::string& path : tree_.directories) renamed.directories.insert(new_name(path));
  tree_ = std::move(renamed);
  return FileReply{};
}

Result<FileReply> SimFiles::remove(const std::string& path) {
  if (tree_.files.erase(path) == 1) return FileReply{};
  if (!tree_.directories.contains(path)) return missing();
  const bool used = std::ranges::any_of(tree_.files, [&](const auto& file) { return is_below(file.first, path); }) ||
                    std::ranges::any_of(tree_.directories, [&](const auto& each) { return is_below(each, path); });
  if (used) return fail(Errc::System, "cannot remove a file", ENOTEMPTY);
  tree_.directories.erase(path);
  return FileReply{};
}

Result<FileReply> SimFiles::make_directory(const std::string& path) {
  if (tree_.directories.contains(path) || tree_.files.contains(path)) {
    return fail(Errc::System, "cannot make a directory", EEXIST);
  }
  if (!tree_.directories.contains(parent_of(path))) return missing();
  tree_.directories.insert(path);
  return FileReply{};
}

Result<FileReply> SimFiles::sync_directory(const std::string& path) {
  if (!tree_.directories.contains(path)) return missing();
  std::erase_if(durable_.files, [&](const auto& file) { return parent_of(file.first) == path; });
  std::erase_if(durable_.directories,
                [&](const auto& each) { return parent_of(each) == path && !tree_.directories.contains(each); });
  for (const auto& [name, file] : tree_.files) {
    if (parent_of(name) == path) durable_.files[name] = file;
  }
  for (const std::string& name : tree_.directories) {
    if (parent_of(name) == path) durable_.directories.insert(name);
  }
  return FileReply{};
}

Result<FileReply> SimFiles::list(const std::string& path) const {
  if (!tree_.directories.contains(path)) return missing();
  FileReply reply;
  for (const auto& [name, file] : tree_.files) {
    if (parent_of(name) == path) reply.names.push_back(name_of(name));
  }
  for (const std::string& name : tree_.directories) {
    if (name != path && parent_of(name) == path) reply.names.push_back(name_of(name));
  }
  std::ranges::sort(reply.names);
  return reply;
}

Result<std::string> SimFiles::read_now(const std::string& path, std::uint64_t bytes_max) const {
  const auto found = tree_.files.find(path);
  if (found == tree_.files.end()) {
    if (tree_.directories.contains(path)) return fail(Errc::NotFound, "not a regular file");
    return missing();
  }
  if (found->second->content.size() > bytes_max) return fail(Errc::TooLarge, "the file is larger than its limit");
  return found->second->content;
}

void SimFiles::put(const std::string& path, base::Bytes content) {
  for (Tree* tree : {&tree_, &durable_}) {
    for (std::string above = parent_of(path); tree->directories.insert(above).second;) above = parent_of(above);
  }
  FileRef& file = tree_.files[path];
  if (!file) file = std::make_shared<File>();
  file->content = file->durable = content;
  file->unsynced.clear();
  file->modified_ms = clock_.wall_ms();
  durable_.files[path] = file;
}

std::optional<std::string> SimFiles::get(const std::string& path) const {
  const auto found = tree_.files.find(path);
  if (found == tree_.files.end()) return std::nullopt;
  return found->second->content;
}

std::vector<std::string> SimFiles::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, file] : tree_.files) all.push_back(path);
  return all;
}

void SimFiles::fail_call(std::uint64_t call, base::Error error) { failures_.insert_or_assign(calls_ + call, error); }

void SimFiles::crash() {
  operations_.clear();
  handles_.clear();
  tree_ = durable_;
  for (const auto& [path, file] : tree_.files) {
    file->content = file->durable;
    file->unsynced.clear();
  }
}

}  // namespace sim
