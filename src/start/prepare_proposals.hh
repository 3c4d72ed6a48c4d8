// What the owners let make files when their image is built, as lines for [[tool.veneer.prepare]]: RUN python … of the
// Dockerfile, and Django's collectstatic. Pure; thread-safe.
#pragma once

#include "owners/evaluate.hh"
#include "start/command.hh"
#include "start/inputs.hh"

namespace veneer::start {

/// A sentence and the lines to paste for each; for what changes a database, that it is a deploy's. `facts` are of the
/// stage of `dockerfile` that counts; none without one. Nothing is proposed to a project that prepares files.
Notes prepare_proposals(const Inputs& inputs, const Places& places, const owners::StageFacts* facts,
                        const std::string& dockerfile);

}  // namespace veneer::start
