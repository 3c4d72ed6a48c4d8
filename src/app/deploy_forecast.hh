// What a deploy would cost hosts, without asking any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/build_session.hh"
#include "app/open_image.hh"
#include "deliver/forecast.hh"

namespace veneer::app {

/// Of a line that nobody measured, for estimates.
deliver::Line line_of(std::optional<double> bytes_per_second);

struct DeployForecast {
  std::string from;  // the image that the hosts have
  std::vector<deliver::Forecast> forecasts;
};

/// To hosts that have `from` and nothing else.
DeployForecast forecast_deploy(const OpenedImage& from, const OpenedImage& to, deliver::Line line);

/// What `session` plans, to hosts that have what was built last; nothing when nothing was.
std::optional<DeployForecast> forecast_from_last(const BuildSession& session, deliver::Line line);

}  // namespace veneer::app
