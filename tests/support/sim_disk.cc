// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_disk.h"

#include <errno.h>
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "io/real_beneath.h"

namespace sim {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using io::FileReply;
using io::FileRequest;
using io::OpenMode;
using Kind = FileRequest::Kind;

constexpr io::FileHandle kFirstHandle = 1'000;  // far from the handles of sockets
constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 32;
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr int kHeapKeptBytes = 256 * 1024 * 1024;
constexpr int kMappedBytesMin = 32 * 1024 * 1024;

std::unexpected<base::Error> missing() { return fail(Errc::NotFound, "no such file", ENOENT); }
std::unexpected<base::Error> refused(const char* text, int sys_errno) { return fail(Errc::System, text, sys_errno); }

bool is_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

// Tests make worlds by the thousand. Memory that goes back to the kernel each time comes back page by page, zeroed,
// which costs several times as much as all that happens in such a world.
bool keep_memory() {
  return mallopt(M_TRIM_THRESHOLD, kHeapKeptBytes) + mallopt(M_MMAP_THRESHOLD, kMappedBytesMin) == 2;
}

}  // namespace

SimDisk::SimDisk(Core& core, std::uint64_t total_bytes)
    : core_(core),
      clock_(core),
      total_bytes_(total_bytes),
      names_(make_node(), make_node()),
      blocks_max_(total_bytes / kPageBytes),
      full_errno_(ENOSPC) {
  [[maybe_unused]] static const bool once = keep_memory();
}

NodePtr SimDisk::make_node() {
  auto node = std::make_shared<Node>();
  node->inode = ++inodes_;
  node->modified_ms = clock_.wall_ms();
  node->birth_ns = static_cast<std::uint64_t>(core_.wall_offset_ms) * kNsPerMs + core_.now_ns;
  return node;
}

NodePtr SimDisk::make_file(base::Bytes content) {
  NodePtr node = make_node();
  node->file.emplace(content);
  blocks_used_ += node->file->blocks();
  return node;
}

Result<FileReply> SimDisk::carry_out(const FileRequest& request) {
  switch (request.kind) {
    case Kind::ReadBeneath: return read_beneath(request);
    case Kind::Open: return open(request);
    case Kind::ReadAt:
    case Kind::WriteAt:
    case Kind::Sync:
    case Kind::Allocate:
    case Kind::Truncate:
    case Kind::Lock:
    case Kind::Close: return use_handle(request);
    case Kind::Rename: return rename(request.path, request.to);
    case Kind::Remove: return remove(request.path);
    case Kind::MakeDirectory: return make_directory(request.path);
    case Kind::SyncDirectory: return sync_directory(request.path);
    case Kind::List: return list(request.path);
    case Kind::Status: return status(request.path);
    case Kind::Space: return space(request.path);
  }
  return fail(Errc::Unsupported, "no such file operation");
}

void SimDisk::carry_out_badly(const FileRequest& request) {
  OpenFile* const opened = find_handle(request.handle);
  if (opened == nullptr) return;
  if (request.kind == Kind::WriteAt && opened->access == Access::ReadWrite) {
    write_some(*opened->node, request.offset, request.data.substr(0, core_.choices.below(request.data.size())));
  }
  if (request.kind == Kind::Close) (void)close(request.handle);
  if (request.kind != Kind::Sync) return;
  std::vector<std::uint64_t> stamps;
  opened->node->file->collect_stamps(stamps);
  const auto loss = static_cast<Loss>(core_.choices.below(kLosses));
  LossPlan plan(loss, core_.choices, stamps, opened->node->file->dirty_pages());
  opened->node->file->fail_sync(plan);
}

Result<FileReply> SimDisk::read_beneath(const FileRequest& request) const {
  if (!io::stays_beneath(request.path)) return missing();
  const std::string path = request.root + '/' + request.path;
  FileReply reply;
  reply.data = TRY(read_file(path, request.size));
  reply.modified_ms = names_.find(path)->modified_ms;
  return reply;
}

Result<std::string> SimDisk::read_file(const std::string& path, std::uint64_t bytes_max) const {
  const NodePtr node = names_.find(path);
  if (!node) return missing();
  if (!node->file) return fail(Errc::NotFound, "not a regular file");
  if (node->file->content().size() > bytes_max) return fail(Errc::TooLarge, "the file is larger than its limit");
  return node->file->content();
}

Result<FileReply> SimDisk::open(const FileRequest& request) {
  SimNames::Place place = TRY(names_.place(request.path));
  const bool may_create = request.mode == OpenMode::Create || request.mode == OpenMode::CreateNew;
  if (place.node && request.mode == OpenMode::CreateNew) return refused("cannot open a file", EEXIST);
  if (place.node && !place.node->file) return refused("cannot open a file", EISDIR);
  if (!place.node) {
    if (!may_create) return missing();
    place.node = make_file({});
    names_.enter(++stamp_, place, place.node);
  }
  ++place.node->opens;
  auto free = std::ranges::find(handles_, nullptr, &OpenFile::node);
  if (free == handles_.end()) free = handles_.insert(free, OpenFile{});
  *free = {place.node, request.mode == OpenMode::ExistingRead ? Access::ReadOnly : Access::ReadWrite};
  FileReply reply;
  reply.handle = kFirstHandle + static_cast<io::FileHandle>(free - handles_.begin());
  return reply;
}

SimDisk::OpenFile* SimDisk::find_handle(io::FileHandle handle) {
  const auto index = static_cast<std::size_t>(handle - kFirstHandle);
  return handle < kFirstHandle || index >= handles_.size() || !handles_[index].node ? nullptr : &handles_[index];
}

Result<FileReply> SimDisk::use_handle(const FileRequest& request) {
  OpenFile* const opened = find_handle(request.handle);
  if (opened == nullptr) return refused("not an open handle", EBADF);
  SimFile& file = *opened->node->file;
  FileReply reply;
  switch (request.kind) {
    case Kind::ReadAt:
      if (request.offset < file.content().size()) reply.data = file.content().substr(request.offset, request.size);
      return reply;
    case Kind::Sync: file.sync(); return reply;
    case Kind::WriteAt: return write_at(*opened, request);
    case Kind::Allocate: return allocate(*opened, request);
    case Kind::Truncate: return truncate(*opened, request);
    case Kind::Lock: return lock(request.handle);
    default: return close(request.handle);
  }
}

std::uint64_t SimDisk::blocks_free() const { return blocks_max_ - std::min(blocks_max_, blocks_used_); }

void SimDisk::write_some(Node& node, std::uint64_t offset, base::Bytes bytes) {
  const std::uint64_t before = node.file->blocks();
  node.file->write(++stamp_, offset, bytes.substr(0, node.file->bytes_within(blocks_free(), offset, bytes.size())));
  blocks_used_ += node.file->blocks() - before;
  node.modified_ms = clock_.wall_ms();
}

Result<FileReply> SimDisk::write_at(OpenFile& opened, const FileRequest& request) {
  if (opened.access == Access::ReadOnly) return refused("cannot write a file", EBADF);
  if (request.offset > kFileBytesMax - request.data.size()) return refused("cannot write a file", EFBIG);
  const std::uint64_t size = request.data.size();
  const std::uint64_t fits = opened.node->file->bytes_within(blocks_free(), request.offset, size);
  if (fits == size) {
    write_some(*opened.node, request.offset, request.data);
    return FileReply{};
  }
  write_some(*opened.node, request.offset, request.data.substr(0, core_.choices.below(fits + 1)));
  return refused("cannot write a file", full_errno_);
}

Result<FileReply> SimDisk::allocate(OpenFile& opened, const FileRequest& request) {
  if (opened.access == Access::ReadOnly) return refused("cannot allocate space for a file", EBADF);
  if (request.size == 0) return refused("cannot allocate space for a file", EINVAL);
  if (request.offset > kFileBytesMax - std::min(kFileBytesMax, request.size)) {
    return refused("cannot allocate space for a file", EFBIG);
  }
  SimFile& file = *opened.node->file;
  const std::uint64_t fits = file.bytes_within(blocks_free(), request.offset, request.size);
  const std::uint64_t done = fits == request.size || core_.choices.one_in(2) ? fits : 0;
  const std::uint64_t before = file.blocks();
  if (done > 0) file.allocate(++stamp_, request.offset, done);
  blocks_used_ += file.blocks() - before;
  if (fits < request.size) return refused("cannot allocate space for a file", full_errno_);
  return FileReply{};
}

Result<FileReply> SimDisk::truncate(OpenFile& opened, const FileRequest& request) {
  if (opened.access == Access::ReadOnly) return refused("cannot truncate a file", EINVAL);
  if (request.size > kFileBytesMax) return refused("cannot truncate a file", EFBIG);
  SimFile& file = *opened.node->file;
  blocks_used_ -= file.blocks();
  file.truncate(++stamp_, request.size);
  blocks_used_ += file.blocks();
  return FileReply{};
}

Result<FileReply> SimDisk::lock(io::FileHandle handle) {
  io::FileHandle& holder = find_handle(handle)->node->locked_by;
  if (holder >= 0 && holder != handle) return refused("another process holds the lock of a file", EWOULDBLOCK);
  holder = handle;
  return FileReply{};
}

Result<FileReply> SimDisk::close(io::FileHandle handle) {
  const NodePtr node = std::exchange(find_handle(handle)->node, nullptr);
  if (node->locked_by == handle) node->locked_by = -1;
  --node->opens;
  release_if_gone(*node);
  return FileReply{};
}

// A file without a name keeps its space as long as somebody has it open.
void SimDisk::release_if_gone(const Node& node) {
  if (node.file && !node.named && node.opens == 0) blocks_used_ -= node.file->blocks();
}

Result<FileReply> SimDisk::rename(const std::string& from, const std::string& to) {
  const SimNames::Place source = TRY(names_.place(from));
  const SimNames::Place target = TRY(names_.place(to));
  if (!source.node) return missing();
  if (source.node == target.node) return FileReply{};
  if (is_below(to, from)) return refused("cannot rename a file", EINVAL);
  if (target.node) {
    if (source.node->file && !target.node->file) return refused("cannot rename a file", EISDIR);
    if (!source.node->file && target.node->file) return refused("cannot rename a file", ENOTDIR);
    if (!target.node->names.empty()) return refused("cannot rename a file", ENOTEMPTY);
  }
  names_.move(++stamp_, source, target);
  if (target.node) release_if_gone(*target.node);
  return FileReply{};
}

Result<FileReply> SimDisk::remove(const std::string& path) {
  const SimNames::Place place = TRY(names_.place(path));
  if (!place.node) return missing();
  if (!place.node->names.empty()) return refused("cannot remove a file", ENOTEMPTY);
  names_.leave(++stamp_, place);
  release_if_gone(*place.node);
  return FileReply{};
}

Result<FileReply> SimDisk::make_directory(const std::string& path) {
  if (names_.find(path)) return refused("cannot make a directory", EEXIST);
  const SimNames::Place place = TRY(names_.place(path));
  names_.enter(++stamp_, place, make_node());
  return FileReply{};
}

Result<FileReply> SimDisk::sync_directory(const std::string& path) {
  const NodePtr directory = names_.find(path);
  if (!directory) return missing();
  if (directory->file) return refused("cannot open a directory", ENOTDIR);
  names_.sync(directory);
  return FileReply{};
}

Result<FileReply> SimDisk::list(const std::string& path) const {
  const NodePtr directory = names_.find(path);
  if (!directory) return missing();
  if (directory->file) return refused("cannot open a directory", ENOTDIR);
  FileReply reply;
  for (const auto& [name, node] : directory->names) reply.names.push_back(name);
  return reply;
}

Result<FileReply> SimDisk::status(const std::string& path) const {
  const NodePtr node = names_.find(path);
  if (!node) return missing();
  FileReply reply;
  reply.status = {node->file ? node->file->content().size() : 0, node->inode, node->birth_ns};
  return reply;
}

Result<FileReply> SimDisk::space(const std::string& path) const {
  if (!names_.find(path)) return missing();
  FileReply reply;
  reply.space = {.total_bytes = total_bytes_, .free_bytes = blocks_free() * kPageBytes};
  return reply;
}

void SimDisk::crash(Loss loss) {
  const std::vector<NodePtr> files = names_.all_files();
  std::vector<std::uint64_t> stamps;
  std::size_t parts = names_.pending();
  for (const NodePtr& node : files) {
    node->file->collect_stamps(stamps);
    parts += node->file->dirty_pages();
  }
  names_.collect_stamps(stamps);
  LossPlan plan(loss, core_.choices, stamps, parts);
  for (const NodePtr& node : files) node->file->lose(plan);
  names_.lose(plan);
  close_all();
}

void SimDisk::kill() { close_all(); }

void SimDisk::close_all() {
  for (const OpenFile& opened : handles_) {
    if (!opened.node) continue;
    opened.node->opens = 0;
    opened.node->locked_by = -1;
  }
  handles_.clear();
  blocks_used_ = 0;
  for (const auto& [path, node] : names_.files()) blocks_used_ += node->file->blocks();
}

void SimDisk::put(const std::string& path, base::Bytes content) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    if (!names_.find(above)) enter_durably(names_.place(above).value(), make_node());
  }
  const SimNames::Place place = names_.place(path).value();
  if (place.node) {
    replace(*place.node, std::string(content));
    names_.sync(place.directory);
  } else {
    enter_durably(place, make_file(content));
  }
}

void SimDisk::enter_durably(const SimNames::Place& place, const NodePtr& node) {
  names_.enter(++stamp_, place, node);
  names_.sync(place.directory);
}

std::optional<std::string> SimDisk::get(const std::string& path) const {
  const NodePtr node = names_.find(path);
  if (!node || !node->file) return std::nullopt;
  return node->file->content();
}

std::optional<std::string> SimDisk::durable(const std::string& path) const {
  const NodePtr node = names_.find_durable(path);
  if (!node || !node->file) return std::nullopt;
  return node->file->durable();
}

std::vector<std::string> SimDisk::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, node] : names_.files()) all.push_back(path);
  return all;
}

void SimDisk::set_free_bytes(std::uint64_t bytes, int full_errno) {
  blocks_max_ = blocks_used_ + bytes / kPageBytes;
  full_errno_ = full_errno;
}

NodePtr SimDisk::file_at(const std::string& path) const {
  NodePtr node = names_.find(path);
  CHECK(node && node->file, "a test names a file that is there");
  return node;
}

void SimDisk::replace(Node& node, std::string content) {
  blocks_used_ -= node.file->blocks();
  node.file->replace(std::move(content));
  blocks_used_ += node.file->blocks();
  node.modified_ms = clock_.wall_ms();
}

void SimDisk::flip_bit(const std::string& path, std::uint64_t byte, unsigned bit) {
  const NodePtr node = file_at(path);
  std::string content = node->file->content();
  CHECK(byte < content.size(), "a test flips a bit of the file");
  content[byte] = static_cast<char>(static_cast<unsigned char>(content[byte]) ^ 1U << bit % 8);
  replace(*node, std::move(content));
}

void SimDisk::zero_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  const NodePtr node = file_at(path);
  std::string content = node->file->content();
  const std::uint64_t from = std::min<std::uint64_t>(offset, content.size());
  content.replace(from, std::min<std::uint64_t>(size, content.size() - from),
                  std::min<std::uint64_t>(size, content.size() - from), '\0');
  replace(*node, std::move(content));
}

void SimDisk::truncate_file(const std::string& path, std::uint64_t size) {
  const NodePtr node = file_at(path);
  std::string content = node->file->content();
  content.resize(size);
  replace(*node, std::move(content));
}

void SimDisk::remove_file(const std::string& path) {
  file_at(path);
  const SimNames::Place place = names_.place(path).value();
  names_.leave(++stamp_, place);
  names_.sync(place.directory);
  release_if_gone(*place.node);
}

void SimDisk::swap_contents(const std::string& a, const std::string& b) {
  const NodePtr first = file_at(a);
  const NodePtr second = file_at(b);
  std::string content = first->file->content();
  replace(*first, second->file->content());
  replace(*second, std::move(content));
}

void SimDisk::copy_directory(const std::string& from, const std::string& to) {
  const NodePtr source = names_.find(from);
  CHECK(source && !source->file, "a test copies a directory that is there");
  const SimNames::Place place = names_.place(to).value();
  CHECK(!place.node && !is_below(to, from), "a test copies a directory to where nothing is");
  enter_durably(place, copy_of(*source));
}

NodePtr SimDisk::copy_of(const Node& node) {
  if (node.file) return make_file(node.file->content());
  NodePtr copy = make_node();
  for (const auto& [name, below] : node.names) enter_durably({copy, name, nullptr}, copy_of(*below));
  return copy;
}

}  // namespace sim
