#include "app/deploy_forecast.hh"

#include "deliver/receiver/ship.hh"
#include "image/history.hh"

namespace veneer::app {

namespace {

/// Nobody knows the size of a layer of the application before it is made; that of the one before is near. Says whether
/// there was any.
bool take_application_sizes(image::Image& image, const image::Image& before) {
  const auto now = image::history_of_layers(image.config.history, image.layers.size());
  const auto then = image::history_of_layers(before.config.history, before.layers.size());
  bool any = false;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    if (image.layers[i].size > 0 || !now[i].created_by.starts_with("veneer: application")) continue;
    any = true;
    image.layers[i].size = before.layers.back().size;
    for (std::size_t k = 0; k < then.size(); ++k) {
      if (then[k].created_by == now[i].created_by) image.layers[i].size = before.layers[k].size;
    }
  }
  return any;
}

}  // namespace

deliver::Line line_of(std::optional<double> bytes_per_second) {
  return {bytes_per_second.value_or(0), deliver::usual_round_trip};
}

DeployForecast forecast_deploy(const OpenedImage& from, const OpenedImage& to, deliver::Line line) {
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name("image:new"), to.sealed);
  return {from.name, deliver::forecast(to.sealed, from.sealed, line, name.reference())};
}

std::optional<DeployForecast> forecast_from_last(const BuildSession& session, deliver::Line line) {
  const std::optional<OpenedImage> last = open_last(session.folder());
  if (!last) return std::nullopt;
  image::SealedImage expected = session.expected();
  if (take_application_sizes(expected.image, last->sealed.image)) expected = image::seal(std::move(expected.image));
  const deliver::EngineName name = deliver::unique_name_of(deliver::parse_engine_name(session.image_name()), expected);
  return DeployForecast{last->name, deliver::forecast(expected, last->sealed, line, name.reference())};
}

}  // namespace veneer::app
