#include "app/deploy_forecast.hh"

#include "deliver/receiver/ship.hh"

namespace veneer::app {

namespace {
constexpr double usual_round_trip = 0.1;  // seconds
}

deliver::Line line_of(std::optional<double> bytes_per_second) {
  return {bytes_per_second.value_or(0), usual_round_trip};
}

DeployForecast forecast_deploy(const OpenedImage& from, const OpenedImage& to, deliver::Line line) {
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name("image:new"), to.sealed);
  return {from.name, deliver::forecast(to.sealed, from.sealed, line, name.reference())};
}

std::optional<DeployForecast> forecast_from_last(const BuildSession& session, deliver::Line line) {
  const std::optional<OpenedImage> last = open_last(session.folder());
  if (!last) return std::nullopt;
  image::SealedImage expected = session.expected();
  // Nobody knows the size of an application layer before it is made; that of the one before is near.
  image::Layer& application = expected.image.layers.back();
  if (application.size == 0) {
    application.size = last->sealed.image.layers.back().size;
    expected = image::seal(std::move(expected.image));
  }
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name(session.image_name()), expected);
  return DeployForecast{last->name, deliver::forecast(expected, last->sealed, line, name.reference())};
}

}  // namespace veneer::app
