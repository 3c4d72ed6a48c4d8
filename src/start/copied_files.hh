// Which of the project's files a Dockerfile copies into the image, and where they lie there. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "owners/evaluate.hh"
#include "start/inputs.hh"
#include "start/taken.hh"

namespace veneer::start {

/// Of COPY and ADD in the stage of `facts`, also by way of other stages, each with the line of the COPY there. What is
/// no file of the project goes to `left`, with the reason. `above` is where the project lies in the build context:
/// "apps/web", or "" where it is the context.
std::vector<owners::Located<python::FileRule>> copied_files(const Inputs& inputs, const owners::Dockerfile& file,
                                                            const owners::StageFacts& facts, const std::string& above,
                                                            std::vector<TakenItem>& left);

}  // namespace veneer::start
