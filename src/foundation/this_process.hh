// How this process begins and ends.
#pragma once

namespace veneer {

/// Called once, first of all, while there is one thread. Mends what a program may be started with and cannot work with:
/// closed standard descriptors, which the next files would become (reads see the end, writes fail), and SIGCHLD
/// ignored, with which no exit code is seen. A broken pipe is an error of write(), no signal. SIGINT, SIGTERM and
/// SIGHUP end the process as usual, once its temporary files and folders are removed.
void begin_process();

/// Removes them and ends by this signal, without a word. Any thread.
[[noreturn]] void end_by_signal(int signal);

}  // namespace veneer
