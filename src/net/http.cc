#include "net/http.hh"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <exception>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>

#include "foundation/file.hh"
#include "foundation/text.hh"
#include "net/curl_failure.hh"
#include "net/netrc.hh"

namespace veneer::net {

namespace {

constexpr std::size_t header_limit = 1 << 20;  // bytes of all header lines of one answer
constexpr int redirect_limit = 10;
constexpr std::uint64_t forgotten_limit = 16 << 20;  // bytes of a body that nobody wants
constexpr long connections_together = 32;
constexpr int poll_milliseconds = 1000;
constexpr std::uint64_t netrc_limit = 1 << 20;

struct FreeHandle {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
using HandlePointer = std::unique_ptr<CURL, FreeHandle>;

struct FreeMulti {
  void operator()(CURLM* handle) const { ::curl_multi_cleanup(handle); }
};
using MultiPointer = std::unique_ptr<CURLM, FreeMulti>;

struct FreeList {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using ListPointer = std::unique_ptr<curl_slist, FreeList>;

void append_line(ListPointer& list, const std::string& line) {
  curl_slist* longer = ::curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw Error(ErrorKind::failed, "out of memory");
  static_cast<void>(list.release());
  list.reset(longer);
}

/// One exchange in progress; what libcurl's callbacks work on. An exception that a source or sink throws is kept, the
/// transfer given up, and the exception thrown again outside of libcurl.
struct Exchange {
  const BodyHandler& on_answer;
  ByteSource* body = nullptr;
  Response response;
  ByteSink* sink = nullptr;
  bool answered = false;
  std::size_t header_bytes = 0;
  std::uint64_t forgotten = 0;
  std::exception_ptr failure;

  void answer() {
    if (answered) return;
    answered = true;
    if (on_answer) sink = on_answer(response);
  }

  template <typename Action>
  std::size_t guarded(std::size_t on_failure, Action&& action) {
    try {
      return action();
    } catch (...) {
      failure = std::current_exception();
      return on_failure;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self_pointer) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    return self.guarded(0, [&] {
      self.header_bytes += size;
      if (self.header_bytes > header_limit) throw Error(ErrorKind::refused, "a server sent too many headers");
      const std::string_view line(data, size);
      if (line.starts_with("HTTP/")) {  // also of interim answers, which the next one replaces
        self.response.headers.clear();
        self.response.status = 0;
        const std::size_t space = line.find(' ');
        if (space != std::string_view::npos) {
          std::from_chars(line.data() + space + 1, line.data() + line.size(), self.response.status);
        }
      } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        self.response.headers.push_back(
            {std::string(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1)))});
      }
      return size;
    });
  }

  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self_pointer) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    return self.guarded(size + 1, [&] {
      self.answer();
      if (self.sink != nullptr) {
        self.sink->write(as_bytes(std::string_view(data, size)));
        return size;
      }
      self.forgotten += size;
      if (self.forgotten > forgotten_limit) {
        throw Error(ErrorKind::refused, "a server sends an answer without end");
      }
      return size;
    });
  }

  /// Programs that run meanwhile do not get it. libcurl does so since 8.10.
  static curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  static std::size_t on_body_wanted(char* into, std::size_t, std::size_t size, void* self_pointer) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    return self.guarded(CURL_READFUNC_ABORT, [&] {
      return self.body->read({reinterpret_cast<std::byte*>(into), size});
    });
  }
};

/// Longer by up to a half, so that many clients that were turned away at once do not come back at once.
std::chrono::milliseconds with_chance(std::chrono::milliseconds delay) {
  thread_local std::minstd_rand chance{std::random_device{}()};
  return delay + std::chrono::milliseconds(
                     std::uniform_int_distribution<std::chrono::milliseconds::rep>(0, delay.count() / 2)(chance));
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Of a request to a socket, whose URL has a host only for the form.
std::string path_of(std::string_view url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string_view::npos ? host : url.find('/', host + 3);
  return path == std::string_view::npos ? "/" : printable(url.substr(path));
}

void check_header(const Header& header) {
  constexpr std::string_view forbidden("\r\n\0", 3);
  if (header.name.empty() || header.name.find_first_of(forbidden) != std::string::npos ||
      header.name.find(':') != std::string::npos || header.value.find_first_of(forbidden) != std::string::npos) {
    throw Error(ErrorKind::refused, "the header " + printable(header.name) + " cannot be sent");
  }
}

}  // namespace

class Client::Implementation {
 public:
  explicit Implementation(ClientOptions given) : options(std::move(given)) {
    static const CURLcode initialised = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    if (initialised != CURLE_OK) throw Error(ErrorKind::failed, "libcurl cannot be initialised");
    if (!options.sleep) {
      options.sleep = [](std::chrono::milliseconds delay) { std::this_thread::sleep_for(delay); };
    }
  }

  Response send_once(const Request& request, const BodyHandler& on_answer);
  std::vector<Answered> send_together(const std::vector<Request>& requests, std::uint64_t limit);

  ClientOptions options;

 private:
  class Transfer;
  HandlePointer take_handle();
  void give_back(HandlePointer handle);
  void configure(CURL* handle, const Request& request, const SplitUrl& url, const curl_slist* headers,
                 Exchange& exchange) const;

  std::mutex mutex_;
  std::vector<HandlePointer> idle_;  // each keeps its connections open
  std::mutex together_mutex_;
  MultiPointer together_;  // keeps those of send_together() open
};

HandlePointer Client::Implementation::take_handle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    HandlePointer handle(::curl_easy_init());
    if (handle == nullptr) throw Error(ErrorKind::failed, "out of memory");
    return handle;
  }
  HandlePointer handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void Client::Implementation::give_back(HandlePointer handle) {
  ::curl_easy_reset(handle.get());
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

void Client::Implementation::configure(CURL* handle, const Request& request, const SplitUrl& url,
                                       const curl_slist* headers, Exchange& exchange) const {
  const auto set = [handle](CURLoption option, auto value) { ::curl_easy_setopt(handle, option, value); };
  set(CURLOPT_URL, url.without_user_info.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_socket);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, &Exchange::on_data);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout.value_or(options.stall_timeout).count()));
  if (!options.unix_socket.empty()) {
    set(CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
    set(CURLOPT_PROXY, "");
  }
  if (!options.ca_bundle.empty()) set(CURLOPT_CAINFO, options.ca_bundle.c_str());
  if (!options.client_certificate.empty() && request.certificate == Request::Certificate::shown) {
    set(CURLOPT_SSLCERT, options.client_certificate.c_str());
    set(CURLOPT_SSLKEY, options.client_key.c_str());
  }
  const bool may_ask_netrc = !options.netrc.empty() && (request.netrc == Netrc::over_http_too ||
                                                        (request.netrc == Netrc::over_https && url.scheme == "https"));
  if (request.credentials) {
    const Credentials& given = *request.credentials;
    std::optional<std::string> password;
    if (given.password.empty() && may_ask_netrc) {
      const auto text = read_text_file_if_exists(options.netrc, netrc_limit);
      password = netrc_password(text.value_or(""), url.host, given.user);
    }
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, given.user.c_str());
    set(CURLOPT_PASSWORD, password.value_or(given.password).c_str());
  } else if (may_ask_netrc) {
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
    set(CURLOPT_NETRC_FILE, options.netrc.c_str());
  }
  if (request.body != nullptr) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &Exchange::on_body_wanted);
    set(CURLOPT_READDATA, &exchange);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    set(CURLOPT_INFILESIZE_LARGE,
        request.body_size ? static_cast<curl_off_t>(*request.body_size) : static_cast<curl_off_t>(-1));
    if (request.connection == Connection::fresh) set(CURLOPT_FRESH_CONNECT, 1L);
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, "");
    set(CURLOPT_POSTFIELDSIZE, 0L);
  }
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

/// One request on its way: a handle that libcurl may be given, and what its callbacks write to.
class Client::Implementation::Transfer {
 public:
  Transfer(Implementation& client, const Request& request, const BodyHandler& on_answer)
      : client_(client),
        method_(request.method),
        exchange_{.on_answer = on_answer, .body = request.body, .response = {}, .failure = {}} {
    const SplitUrl url = split_url(request.url);
    shown_ = by_socket() ? path_of(url.without_user_info) : display_url(url.without_user_info);
    if (url.scheme == "file") throw Error(ErrorKind::refused, shown_ + " is not a http or https URL");

    bool has_content_type = false;
    for (const Header& header : request.headers) {
      check_header(header);
      has_content_type = has_content_type || same_name(header.name, "Content-Type");
      append_line(headers_, header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    append_line(headers_, "Expect:");  // no waiting for "100 Continue"
    if (!has_content_type) append_line(headers_, "Content-Type:");

    exchange_.response.url = url.without_user_info;
    handle_ = client_.take_handle();
    client_.configure(handle_.get(), request, url, headers_.get(), exchange_);
    ::curl_easy_setopt(handle_.get(), CURLOPT_ERRORBUFFER, details_.data());
  }

  CURL* handle() const { return handle_.get(); }

  /// The answer, once libcurl is done and has said `code`.
  Response finish(CURLcode code) {
    if (exchange_.failure) std::rethrow_exception(exchange_.failure);
    if (code != CURLE_OK) throw_failure(code);
    client_.give_back(std::move(handle_));
    exchange_.answer();
    return std::move(exchange_.response);
  }

 private:
  bool by_socket() const { return !client_.options.unix_socket.empty(); }

  [[noreturn]] void throw_failure(CURLcode code) const {
    std::string reason = details_[0] != '\0' ? details_.data() : ::curl_easy_strerror(code);
    if (by_socket() && code == CURLE_COULDNT_CONNECT) {  // libcurl speaks of the host and port of the URL
      long cause = 0;
      ::curl_easy_getinfo(handle_.get(), CURLINFO_OS_ERRNO, &cause);
      reason = "no connection to the socket" +
               (cause == 0 ? "" : ": " + std::generic_category().message(static_cast<int>(cause)));
    }
    const TransportError::Cause cause = cause_of(handle_.get(), code);
    throw TransportError(fmt::format("{} {}: {}", printable(method_), shown_, printable(reason)),
                         is_worth_a_retry(code) ? TransportError::Retry::sensible : TransportError::Retry::useless,
                         by_socket() ? "" : std::string(hint_for(cause)), cause);
  }

  Implementation& client_;
  std::string method_;
  std::string shown_;
  ListPointer headers_;
  Exchange exchange_;
  HandlePointer handle_;
  std::array<char, CURL_ERROR_SIZE> details_{};
};

Response Client::Implementation::send_once(const Request& request, const BodyHandler& on_answer) {
  Transfer transfer(*this, request, on_answer);
  return transfer.finish(::curl_easy_perform(transfer.handle()));
}

std::vector<Answered> Client::Implementation::send_together(const std::vector<Request>& requests, std::uint64_t limit) {
  struct Running {
    std::unique_ptr<BoundedText> sink;
    BodyHandler on_answer;
    std::unique_ptr<Transfer> transfer;
    CURLcode code = CURLE_OK;
  };
  const std::lock_guard lock(together_mutex_);
  if (together_ == nullptr) {
    together_.reset(::curl_multi_init());
    if (together_ == nullptr) throw Error(ErrorKind::failed, "out of memory");
    ::curl_multi_setopt(together_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
    ::curl_multi_setopt(together_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, connections_together);
  }
  CURLM* const multi = together_.get();
  std::vector<Answered> answers(requests.size());
  std::vector<Running> running(requests.size());
  const auto remove_all = [multi](std::vector<Running>* all) {
    for (const Running& one : *all) {
      if (one.transfer != nullptr && one.transfer->handle() != nullptr) {
        ::curl_multi_remove_handle(multi, one.transfer->handle());
      }
    }
  };
  const std::unique_ptr<std::vector<Running>, decltype(remove_all)> remover(&running, remove_all);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].body != nullptr) throw Error(ErrorKind::failed, "requests with bodies are not sent together");
    Running& one = running[i];
    one.sink = std::make_unique<BoundedText>(answers[i].body, limit, "the server answered");
    one.on_answer = [sink = one.sink.get()](const Response&) -> ByteSink* { return sink; };
    one.transfer = std::make_unique<Transfer>(*this, requests[i], one.on_answer);
    ::curl_easy_setopt(one.transfer->handle(), CURLOPT_PIPEWAIT, 1L);  // rather than a connection for each
    ::curl_easy_setopt(one.transfer->handle(), CURLOPT_PRIVATE, &one);
    ::curl_multi_add_handle(multi, one.transfer->handle());
  }
  for (int unfinished = 1; unfinished > 0;) {
    CURLMcode result = ::curl_multi_perform(multi, &unfinished);
    if (result == CURLM_OK && unfinished > 0) result = ::curl_multi_poll(multi, nullptr, 0, poll_milliseconds, nullptr);
    if (result != CURLM_OK) throw Error(ErrorKind::failed, ::curl_multi_strerror(result));
    int waiting = 0;
    while (const CURLMsg* message = ::curl_multi_info_read(multi, &waiting)) {
      char* owner = nullptr;
      ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      reinterpret_cast<Running*>(owner)->code = message->data.result;
    }
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ::curl_multi_remove_handle(multi, running[i].transfer->handle());
    try {
      answers[i].response = running[i].transfer->finish(running[i].code);
    } catch (...) {
      answers[i].failure = std::current_exception();
    }
  }
  return answers;
}

Client::Client(ClientOptions options) : implementation_(std::make_unique<Implementation>(std::move(options))) {}
Client::~Client() = default;

Response Client::send(const Request& original, const BodyHandler& on_answer) {
  Request request = original;
  const bool follows = request.redirects == Redirects::follow && request.body == nullptr;
  const BodyHandler final_only = [&](const Response& response) -> ByteSink* {
    if (follows && is_redirect(response.status) && response.header("Location") != nullptr) return nullptr;
    return on_answer ? on_answer(response) : nullptr;
  };
  for (int hops = 0;; ++hops) {
    const SplitUrl here = split_url(request.url);
    if (!request.credentials) request.credentials = here.credentials;
    Response response = implementation_->send_once(request, final_only);
    const std::string* location = response.header("Location");
    if (!follows || !is_redirect(response.status) || location == nullptr) return response;

    if (hops == redirect_limit) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} redirects more than {} times", display_url(original.url), redirect_limit));
    }
    const SplitUrl there = split_url(resolve_url(here.without_user_info, *location));
    if (there.scheme == "file" || (here.scheme == "https" && there.scheme == "http")) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} redirects to {}, which is not followed", display_url(here.without_user_info),
                              display_url(there.without_user_info)));
    }
    if (!same_origin(here, there)) {
      request.credentials.reset();
      request.netrc = Netrc::unused;
      request.certificate = Request::Certificate::withheld;
      std::erase_if(request.headers, [](const Header& header) {
        return same_name(header.name, "Authorization") || same_name(header.name, "Cookie");
      });
    }
    if (response.status == 303 && request.method != "HEAD") request.method = "GET";
    request.url = there.without_user_info;
  }
}

std::vector<Answered> Client::send_together(const std::vector<Request>& requests, std::uint64_t limit) {
  return implementation_->send_together(requests, limit);
}

Response Client::send_with_retry(const Request& request, const BodyHandler& on_answer) {
  if (request.body != nullptr) throw Error(ErrorKind::failed, "a request with a body cannot be repeated");
  return send_with_retry([&request] { return request; }, on_answer);
}

Response Client::send_with_retry(const std::function<Request()>& next_request, const BodyHandler& on_answer) {
  const ClientOptions& options = implementation_->options;
  std::chrono::milliseconds delay = options.first_delay;
  for (int attempt = 1;; ++attempt) {
    const bool is_last = attempt >= options.attempts;
    std::chrono::milliseconds wait = delay;
    const Request request = next_request();
    const auto is_passing = [&request](int status) {
      return request.retry == Retry::transient ? is_transient(status) : status == 429 || status == 503;
    };
    try {
      Response response = send(request, [&](const Response& answer) -> ByteSink* {
        if (!is_last && is_passing(answer.status)) return nullptr;
        return on_answer ? on_answer(answer) : nullptr;
      });
      if (is_last || !is_passing(response.status)) return response;
      if (const auto asked = response.retry_after()) wait = std::max<std::chrono::milliseconds>(*asked, wait);
    } catch (const TransportError& error) {
      const bool is_useless = error.retry() == TransportError::Retry::useless || request.retry == Retry::turned_away;
      if (is_last || is_useless) throw;
    }
    options.sleep(std::min(with_chance(wait), options.longest_delay));
    delay = std::min(delay * 2, options.longest_delay);
  }
}

Response Client::fetch(const Request& request, std::string& body, std::uint64_t limit) {
  BoundedText sink(body, limit, "the server answered");
  return in_context([&] { return "fetching " + display_url(request.url); },
                    [&] {
                      return send_with_retry(request, [&](const Response&) -> ByteSink* {
                        body.clear();
                        return &sink;
                      });
                    });
}

}  // namespace veneer::net
