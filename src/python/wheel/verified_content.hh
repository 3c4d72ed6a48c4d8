// A file's data that must have the hash that RECORD gives it. Made by the wheel reader; read by whoever reads contents.
// Immutable, thread-safe.
#pragma once

#include <memory>
#include <string>

#include "archive/content.hh"
#include "foundation/digest.hh"
#include "python/wheel/record.hh"

namespace veneer::python {

/// Passes the data of another Content on. open() hashes what it gives and throws Error (refused) at the end when the
/// hash is another one; deflated() is handed through, with the hash if it is a SHA-256.
class VerifiedContent : public archive::Content {
 public:
  /// `already`: all that open() would find out was found out before, so it does not hash again.
  enum class Check { when_read, already };
  /// `path` is how the error names the file.
  VerifiedContent(std::shared_ptr<const archive::Content> inner, RecordHash expected, std::string path,
                  Check check = Check::when_read);
  /// The same, checked already.
  std::shared_ptr<const VerifiedContent> checked() const;
  std::uint64_t size() const override { return inner_->size(); }
  std::unique_ptr<ByteSource> open() const override;
  std::optional<archive::DeflatedData> deflated() const override;
  /// What the data must have, when RECORD gives a SHA-256.
  std::optional<Hash> sha256() const;

 private:
  std::shared_ptr<const archive::Content> inner_;
  RecordHash expected_;
  std::string path_;
  Check check_;
};

/// SHA-256 of a file of a wheel: the one that RECORD promises (and that every reading verifies) when it has one, else
/// by reading.
Hash promised_sha256(const archive::Content& content);

}  // namespace veneer::python
