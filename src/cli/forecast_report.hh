// What a deploy would cost each kind of host, for people.
#pragma once

#include <string>
#include <vector>

#include "deliver/forecast.hh"

namespace veneer::cli {

/// A row a kind of host; with the time on the line where one is given.
std::string forecast_text(const std::vector<deliver::Forecast>& forecasts, deliver::Line line);

/// The layers that would travel to the kind of host that `forecast` is about, largest first.
std::string travelling_text(const image::Image& image, const deliver::Forecast& forecast);

}  // namespace veneer::cli
