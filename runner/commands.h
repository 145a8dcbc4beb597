// What the program does, one function a subcommand; each returns the process's exit code.
#pragma once

#include <string>
#include <vector>

#include "runner/engine.h"
#include "runner/exit_code.h"
#include "runner/terminal.h"

namespace rackproof {

struct Output {
  ColourChoice colour = ColourChoice::automatic;
  bool quiet = false;
  ExitStyle exit_style = ExitStyle::plain;
};

struct RunRequest {
  std::vector<std::string> argv;  // the whole command line, to be started again inside an allocation

  std::string recipe;  // a file, or the name of an installed recipe; empty to resume
  std::vector<std::string> limits;
  std::vector<std::string> sets;
  std::string folder;   // of the new run; empty: below kRunsDirectory
  std::string resume;   // folder or journal of the run to finish
  std::string lock;     // file; empty: none
  std::string sysroot;  // empty: this machine
  std::string profile;  // of the node to simulate; empty: none
  std::vector<std::string> faults;  // of that node
  std::string node;     // name; empty: this machine's
  std::string checks;   // folder of check libraries; empty: the installed ones
  EngineRequest on;     // what starts it on many nodes
  double max_blamed = 25;     // percent of the nodes
  double answers_within = 60; // s
  double silent_for = 30;     // s
  Output output;
};
// On this machine, or on many nodes.
int run(const RunRequest&);
int run_on_many(const RunRequest&);
// A node's part of a run on many.
int agent();

int plan(const RunRequest&);
int list(const std::string& checks);
int explain(const std::string& check, const std::string& checks);
int show(const std::string& run, const Output&);
int export_run(const std::string& run, const std::string& format, const std::string& file);

struct JudgeRequest {
  std::string run;
  std::vector<std::string> limits;
  std::string folder;  // where to keep the run as it is judged now; empty: nowhere
  Output output;
};
int judge_again(const JudgeRequest&);

int schema(const std::string& of);

}  // namespace rackproof
