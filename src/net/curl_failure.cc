#include "net/curl_failure.hh"

namespace veneer::net {

bool is_worth_a_retry(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:  // a kept connection that ended with a body under way
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
  }
}

TransportError::Cause cause_of(CURL* handle, CURLcode code) {
  constexpr long certificate_has_expired = 10;  // X509_V_ERR_CERT_HAS_EXPIRED
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return TransportError::Cause::silence;
    case CURLE_COULDNT_CONNECT: return TransportError::Cause::unreachable;
    case CURLE_COULDNT_RESOLVE_HOST: return TransportError::Cause::unknown_name;
    case CURLE_SSL_CONNECT_ERROR: return TransportError::Cause::no_tls;
    case CURLE_SSL_CACERT_BADFILE: return TransportError::Cause::certificate;
    case CURLE_PEER_FAILED_VERIFICATION: break;
    default: return TransportError::Cause::line;
  }
  long verified = 0;
  ::curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &verified);
  return verified == certificate_has_expired ? TransportError::Cause::expired : TransportError::Cause::certificate;
}

std::string_view hint_for(TransportError::Cause cause) {
  switch (cause) {
    case TransportError::Cause::line:
    case TransportError::Cause::silence: break;
    case TransportError::Cause::unreachable: return "nothing answers there: is the port right, and the server running?";
    case TransportError::Cause::unknown_name: return "nobody here knows that name: is it written right?";
    case TransportError::Cause::no_tls: return "what answers there does not speak TLS; it may be plain http";
    case TransportError::Cause::certificate: return "the server's certificate is not trusted here; name its CA bundle";
    case TransportError::Cause::expired:
      return "whoever runs the server must renew its certificate; or this machine's clock is wrong";
  }
  return "";
}

}  // namespace veneer::net
