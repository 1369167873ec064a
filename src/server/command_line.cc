// SPDX-License-Identifier: Apache-2.0
#include "server/command_line.h"

#include <CLI/CLI.hpp>

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "contract/findings.h"
#include "io/real_world.h"
#include "server/commands/check.h"
#include "server/commands/log.h"
#include "server/commands/pub.h"
#include "server/commands/serve.h"
#include "server/commands/sub.h"
#include "server/configuration.h"
#include "server/exit_code.h"

namespace server {

namespace {

constexpr const char* kAbout =
    "Tidewire: your AsyncAPI document, running.\n\n"
    "  tidewire serve api.yaml                                  serve the contract on http://127.0.0.1:8080\n"
    "  tidewire pub http://127.0.0.1:8080/likes '{\"n\":1}'       publish an event\n"
    "  tidewire sub http://127.0.0.1:8080/likes                 follow a channel, resume by itself\n";

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 something was found or refused, 64 usage, 70 internal, 74 file or network, "
    "78 configuration.";

// What was typed, before it becomes settings: only what was typed overrides the file.
struct ServeWords {
  std::vector<std::string> contracts;
  std::vector<std::string> clients;
  std::string config;
  std::string listen;
  std::string app_listen;
  std::string admin;
  std::string data;
  unsigned threads = 0;
  bool ignore_servers = false;
};

std::string check_listener(const std::string& word) {
  const auto endpoint = parse_listener(word);
  return endpoint ? std::string() : std::string(endpoint.error().text);
}

std::string check_not_zero(const std::string& word) { return word == "0" ? "expected at least 1" : ""; }

void add_contract_words(CLI::App& command, ServeWords& words) {
  command.add_option("contract", words.contracts, "AsyncAPI documents of the application (YAML or JSON)")
      ->type_name("FILE");
  command
      .add_option("--client", words.clients,
                  "AsyncAPI document of a client application: its actions are the counterpart's")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_flag("--ignore-servers", words.ignore_servers,
                   "serve every channel that has an address over HTTP at `/`, whatever its servers say");
}

void add_serve_words(CLI::App& serve, ServeWords& words) {
  add_contract_words(serve, words);
  serve.add_option("--config", words.config, "tidewire.yaml with these and further settings")->type_name("FILE");
  serve.add_option("--listen", words.listen, "where clients connect [127.0.0.1:8080]")
      ->type_name("ADDR:PORT")
      ->check(check_listener);
  serve
      .add_option("--app-listen", words.app_listen,
                  "where the backend publishes what clients receive, or `none` [127.0.0.1:8082]")
      ->type_name("ADDR:PORT")
      ->check(check_listener);
  serve.add_option("--admin", words.admin, "where /metrics, /healthz and /readyz are, or `none` [127.0.0.1:8081]")
      ->type_name("ADDR:PORT")
      ->check(check_listener);
  serve
      .add_option("--data", words.data,
                  "the directory where events are kept, or `none`: in memory only, gone with the next start "
                  "[tidewire-data]")
      ->type_name("DIR")
      ->check([](const std::string& word) { return word.empty() ? "a directory or `none`" : ""; });
  serve.add_option("--threads", words.threads, "event loops [one for each processor]")
      ->type_name("N")
      ->check(CLI::Range(1u, kThreadsMax).description(""));
  serve.footer("ADDR is a numeric address or localhost; port 0 asks the system for one; unix:/path is a Unix socket.");
}

// Errors are printed; the result is the exit code then.
std::expected<Settings, int> settings_of(const ServeWords& words, io::FileSystem& files, io::Stdio& stdio) {
  Settings settings;
  if (!words.config.empty()) {
    const auto text = files.read_file(words.config, kConfigurationBytesMax);
    if (!text) {
      (void)stdio.write(io::Stdio::Stream::Error,
                        "tidewire: cannot read " + words.config + ": " + text.error().text + "\n");
      return std::unexpected(kExitInputOutput);
    }
    contract::Findings findings;
    read_configuration(words.config, *text, settings, findings);
    const bool wrong = findings.has_errors();
    for (const contract::Finding& finding : findings.take())
      (void)stdio.write(io::Stdio::Stream::Error, contract::to_text(finding) + "\n");
    if (wrong) return std::unexpected(kExitConfiguration);
  }
  if (!words.contracts.empty()) settings.contracts = words.contracts;
  if (!words.clients.empty()) settings.clients = words.clients;
  if (!words.listen.empty()) settings.listen = *parse_listener(words.listen);
  if (!words.app_listen.empty()) settings.app_listen = *parse_listener(words.app_listen);
  if (!words.admin.empty()) settings.admin = *parse_listener(words.admin);
  if (!words.data.empty()) settings.data = parse_data(words.data);
  if (words.threads != 0) settings.threads = words.threads;
  settings.ignore_servers = settings.ignore_servers || words.ignore_servers;
  if (settings.contracts.empty() && settings.clients.empty()) {
    (void)stdio.write(io::Stdio::Stream::Error,
                      "tidewire: no contract given; name an AsyncAPI document: tidewire serve api.yaml\n");
    return std::unexpected(kExitUsage);
  }
  return settings;
}

class CommandLine {
 public:
  explicit CommandLine(io::Stdio& stdio) : stdio_(stdio), app_(kAbout, "tidewire") {
    app_.set_version_flag("--version", "tidewire " TIDEWIRE_VERSION, "print the version");
    app_.require_subcommand(1);
    app_.failure_message([](const CLI::App*, const CLI::Error& error) {
      return std::string("tidewire: ") + error.what() + "; `tidewire --help` says what is possible\n";
    });
    app_.footer(kExitCodes);
    add_serve();
    add_check();
    add_pub();
    add_sub();
    add_log();
  }

  int run(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      // --help and --version come this way too, with code 0.
      return app_.exit(error) == 0 ? kExitOk : kExitUsage;
    } catch (const std::exception& error) {
      (void)stdio_.write(io::Stdio::Stream::Error, std::string("tidewire: ") + error.what() + "\n");
      return kExitUsage;
    }
    return run_();
  }

 private:
  void add_serve() {
    CLI::App& serve = *app_.add_subcommand("serve", "serve contracts");
    add_serve_words(serve, serve_);
    serve.callback([this] {
      run_ = [this] {
        io::RealWorld real;
        const auto settings = settings_of(serve_, real.world().file_system, stdio_);
        return settings ? run_serve(*settings, stdio_) : settings.error();
      };
    });
  }

  void add_check() {
    CLI::App& check = *app_.add_subcommand("check", "check contracts and print every finding");
    add_contract_words(check, check_);
    check.add_option("--format", check_format_, "text or json")->check(CLI::IsMember({"text", "json"}));
    check.callback([this] {
      run_ = [this] {
        io::RealWorld real;
        const auto settings = settings_of(check_, real.world().file_system, stdio_);
        if (!settings) return settings.error();
        const FindingForm form = check_format_ == "json" ? FindingForm::Json : FindingForm::Text;
        return run_check(*settings, form, real.world().file_system, stdio_);
      };
    });
  }

  void add_pub() {
    CLI::App& pub = *app_.add_subcommand("pub", "publish an event, or one for each line of standard input");
    pub.add_option("url", pub_.url, "the address, like http://127.0.0.1:8080/likes")->required()->type_name("URL");
    pub.add_option("data", pub_.data, "the payload [standard input]")->type_name("DATA");
    pub.add_option("--content-type", pub_.content_type, "of the payload [application/json]")->type_name("TYPE");
    pub.add_option("--id-key", pub_.id_key, "Idempotency-Key: a repeat with the same key is not stored again")
        ->type_name("KEY");
    pub.add_option("--method", pub_.method, "the operation's http method [POST]")->type_name("METHOD");
    pub.add_flag("--lines", pub_.lines, "each line of standard input is an event");
    pub.add_flag("--quiet", pub_.quiet, "do not print the answers");
    pub.callback([this] {
      run_ = [this] {
        io::RealWorld real;
        return run_pub(pub_, real.world(), stdio_);
      };
    });
  }

  void add_sub() {
    CLI::App& sub = *app_.add_subcommand("sub", "follow channels; comes back by itself from where it was");
    sub.add_option("url", sub_.urls, "addresses, like http://127.0.0.1:8080/likes")->required()->type_name("URL");
    sub.add_option("--after", sub_.after, "begin behind a cursor, or at `earliest` or `latest` [latest]")
        ->type_name("CURSOR");
    sub.add_option("--count", sub_.count, "end after so many events")->type_name("N");
    sub.add_option("--format", sub_format_, "line (a CloudEvent a line), pretty, or data (the payload alone) [line]")
        ->type_name("FORM")
        ->check(CLI::IsMember({"line", "pretty", "data"}));
    sub.callback([this] {
      run_ = [this] {
        io::RealWorld real;
        if (sub_format_ == "pretty") sub_.format = EventText::Pretty;
        if (sub_format_ == "data") sub_.format = EventText::Data;
        return run_sub(sub_, real.world(), stdio_);
      };
    });
  }

  // Of a directory, not of a server.
  void add_log() {
    CLI::App& log = *app_.add_subcommand("log", "look at the directory of a log, copy it, print its events");
    log.require_subcommand(0, 1);
    log.callback([this, &log] {
      if (!log.get_subcommands().empty()) return;
      run_ = [this, &log] {
        (void)stdio_.write(io::Stdio::Stream::Error, log.help());
        return kExitUsage;
      };
    });
    add_log_info(log);
    add_log_command(log, "verify", "read everything and compare every checksum; name what is damaged",
                    [this](io::World world) { return run_log_verify(log_directory_, world, stdio_); });
    add_log_dump(log);
    CLI::App& backup = add_log_command(log, "backup", "copy a log, also while it is served", [this](io::World world) {
      return run_log_backup(log_directory_, backup_target_, world, stdio_);
    });
    backup.add_option("target", backup_target_, "a new or an empty directory")->required()->type_name("TARGET");
    add_log_command(log, "fork",
                    "make the log another history: its next start begins a new epoch (after restoring an old snapshot)",
                    [this](io::World world) { return run_log_fork(log_directory_, world.file_system, stdio_); });
  }

  CLI::App& add_log_command(CLI::App& log, const char* name, const char* about, std::function<int(io::World)> run) {
    CLI::App& command = *log.add_subcommand(name, about);
    command.add_option("directory", log_directory_, "as in `tidewire serve --data`")->required()->type_name("DIR");
    command.callback([this, run = std::move(run)] {
      run_ = [run] {
        io::RealWorld real;
        return run(real.world());
      };
    });
    return command;
  }

  void add_log_info(CLI::App& log) {
    CLI::App& info =
        add_log_command(log, "info", "what the log holds, and what its next start will do", [this](io::World world) {
          const LogForm form = log_format_ == "json" ? LogForm::Json : LogForm::Text;
          return run_log_info(log_directory_, form, world.file_system, stdio_);
        });
    info.add_option("--format", log_format_, "text or json")->check(CLI::IsMember({"text", "json"}));
  }

  void add_log_dump(CLI::App& log) {
    CLI::App& dump = add_log_command(
        log, "dump", "print events, one CloudEvent in JSON a line",
        [this](io::World world) { return run_log_dump(log_directory_, dump_, world.file_system, stdio_); });
    dump.add_option("--topic", dump_.topics, "only of this topic, as `tidewire log info` names it; may be repeated")
        ->type_name("IDENTITY")
        ->allow_extra_args(false);
    dump.add_option("--address", dump_.address, "only of this address, like comments/42/likes")->type_name("ADDRESS");
    dump.add_option("--after", dump_.after, "only behind this cursor or sequence")->type_name("POSITION");
    dump.add_option("--before", dump_.before, "only before this cursor or sequence")->type_name("POSITION");
    dump.add_option("--from", dump_.from, "only appended at this time or later (RFC 3339)")->type_name("TIME");
    dump.add_option("--until", dump_.until, "only appended before this time (RFC 3339)")->type_name("TIME");
    dump.add_option("--limit", dump_.limit, "end after so many events")->type_name("N")->check(check_not_zero);
    dump.add_flag("--all", dump_.all, "also what retention has trimmed and is still on the disk");
  }

  io::Stdio& stdio_;
  CLI::App app_;
  PubOptions pub_;
  SubOptions sub_;
  ServeWords serve_;
  ServeWords check_;
  std::string check_format_ = "text";
  std::string sub_format_ = "line";
  std::string log_directory_;
  LogDumpOptions dump_;
  std::string log_format_ = "text";
  std::string backup_target_;
  std::function<int()> run_;
};

}  // namespace

int run_command_line(int argc, const char* const* argv, io::Stdio& stdio) { return CommandLine(stdio).run(argc, argv); }

}  // namespace server
