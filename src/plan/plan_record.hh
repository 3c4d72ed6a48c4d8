// What a plan leaves to the next one: which distribution lay in which layer, and how often each has changed.
// Values. Pure, thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "foundation/digest.hh"
#include "foundation/value.hh"
#include "plan/component.hh"
#include "plan/member_facts.hh"

namespace veneer::plan {

/// A distribution as a layer held it. The key decides its bytes: equal members are equal bytes.
struct RecordedMember {
  std::string name;
  std::uint64_t key = 0;  // the first 64 bits of its LayerKey
  auto operator<=>(const RecordedMember&) const = default;
};

/// What the changes so far have taught. Of names that are no longer there nothing is kept.
struct Learned {
  std::uint32_t sets_seen = 0;                   // how often the set was another than before
  std::map<std::string, std::uint32_t> changed;  // name -> in how many of these it changed; those that did
  bool operator==(const Learned&) const = default;
};

/// What the layers were made for, and the base that says so.
struct RecordedTarget {
  std::string base;         // chain ID of its layers
  std::string machine;      // "x86_64"
  std::string libc;         // "glibc-2.36"
  std::string python;       // "3.11.2"
  std::string interpreter;  // "/usr/bin/python3.11"
  bool operator==(const RecordedTarget&) const = default;
};

struct PlanRecord {
  RecordedTarget target;
  std::size_t below = 0;                            // layers of the image that lie below these
  std::vector<std::vector<RecordedMember>> layers;  // of distributions, bottom to top
  /// Layers on top of these, bottom to top: the environment, prepared files, the application. As RecordedMember::key.
  std::vector<std::uint64_t> above;
  std::map<RecordedMember, MemberFacts> facts;  // of those members of which they are known
  Learned learned;
  bool operator==(const PlanRecord&) const = default;
};

/// The first 64 bits.
std::uint64_t short_key(const LayerKey& key);

RecordedMember recorded(const Component& component);

/// What is known after `distributions` followed the set of `previous`. A set that is the same teaches nothing: two
/// builds of one commit leave the same record.
Learned learn(const PlanRecord& previous, const std::vector<Component>& distributions);

/// As the image carries it (docs/formats.md, "The plan of the image before"): one line of JSON, the same bytes for the
/// same record.
std::string to_text(const PlanRecord& record);

/// The same without facts, counters and what lies above, which depends on nothing but these layers: for a label, which
/// is a part of the configuration. Members whose names are all in `names`, which is in order, are told by their places
/// there.
std::string to_label(const PlanRecord& record, const std::vector<std::string>& names);

/// Leaves out facts, the longest first, until the text has at most 16 KiB for each 200 members begun.
void shorten(PlanRecord& record);

/// Reads what to_text and, with the same names, to_label write. Anyone may have written it: Error (refused) for more
/// than 1 MiB, another version, more than 10 000 members, a member twice, facts that nobody writes, or numbers that no
/// history gives.
PlanRecord read_plan_record(std::string_view text, const std::vector<std::string>& names = {});

}  // namespace veneer::plan
