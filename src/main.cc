#include "cli/cli.hh"

int main(int argc, char** argv) { return veneer::cli::run(argc, argv); }
