// What a failure of libcurl means for who asked. Internal to net.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "net/http.hh"

namespace veneer::net {

bool is_worth_a_retry(CURLcode code);

/// `handle` is the one that failed.
TransportError::Cause cause_of(CURL* handle, CURLcode code);

/// Empty where nothing helps.
std::string_view hint_for(TransportError::Cause cause);

}  // namespace veneer::net
