// A price for people, for pull requests and for scripts, and the budget that it is held to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/price.hh"
#include "app/priced_images.hh"
#include "cli/command.hh"
#include "deliver/delivery_plan.hh"

namespace veneer::cli {

class Context;

enum class PriceForm { text, markdown, json };

struct PriceOutput {
  PriceForm form = PriceForm::text;
  deliver::Line line;
  std::optional<std::uint64_t> most_bytes;  // the budget of --max-bytes
};

/// --line, --max-bytes, --markdown and --json.
std::vector<Option> price_options();

/// Throws Error (usage).
PriceOutput read_price_output(const Arguments& arguments);

std::string price_text(const app::Price& price, deliver::Line line);

/// Tables for a pull request; says whether the budget is kept, where there is one.
std::string price_markdown(const app::Price& price, const PriceOutput& output);

/// Prints it, and returns the exit code: that of a gate when the dearest host gets more than the budget.
int print_price(const app::Price& price, const PriceOutput& output, Context& context);

}  // namespace veneer::cli
