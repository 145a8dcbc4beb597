#include "checks/nccl/roll_call.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <random>
#include <sstream>
#include <utility>

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// "10.0.0.1/4711", "fd00::1/4711".
std::optional<Address> parse_address(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  unsigned short port = 0;
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), port);
  const std::string host = text.substr(0, slash);
  Address address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.storage, &four, sizeof four);
    address.length = sizeof four;
  } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&address.storage, &six, sizeof six);
    address.length = sizeof six;
  } else {
    return std::nullopt;
  }
  return address;
}

int family_of(int socket) {
  int family = 0;
  socklen_t length = sizeof family;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

// Bound to any address and a port that the kernel chooses; -1: there is none of this family.
int open_socket(int family) {
  const int fd = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  if (family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  sockaddr_storage any{};
  any.ss_family = static_cast<sa_family_t>(family);
  const socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), length) == 0) return fd;
  ::close(fd);
  return -1;
}

unsigned int port_of(int socket) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length);
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (own.ss_family == AF_INET) {
    std::memcpy(&four, &own, sizeof four);
    return ntohs(four.sin_port);
  }
  std::memcpy(&six, &own, sizeof six);
  return ntohs(six.sin6_port);
}

// Of all interfaces that are up, as they are written; without those that mean something on one link alone.
std::vector<std::pair<int, std::string>> own_addresses() {
  std::vector<std::pair<int, std::string>> all;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return all;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    const int family = one->ifa_addr->sa_family;
    char text[INET6_ADDRSTRLEN] = "";
    if (family == AF_INET) {
      sockaddr_in four{};
      std::memcpy(&four, one->ifa_addr, sizeof four);
      ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    } else if (family == AF_INET6) {
      sockaddr_in6 six{};
      std::memcpy(&six, one->ifa_addr, sizeof six);
      if (IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr)) continue;
      ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    } else {
      continue;
    }
    all.emplace_back(family, text);
  }
  ::freeifaddrs(first);
  return all;
}

}  // namespace

RollCall::RollCall() {
  std::random_device random;
  std::ostringstream token;
  token << std::hex << random() << random();
  token_ = token.str();
  for (const int family : {AF_INET, AF_INET6}) {
    const int fd = open_socket(family);
    if (fd >= 0) sockets_.push_back(fd);
  }
  place_ = token_;
  for (const auto& [family, host] : own_addresses()) {
    for (const int fd : sockets_) {
      if (family_of(fd) == family) place_ += " " + host + "/" + std::to_string(port_of(fd));
    }
  }
}

RollCall::~RollCall() {
  for (const int fd : sockets_) ::close(fd);
}

void RollCall::call(std::string_view place, const Called& what) const {
  std::istringstream words{std::string(place)};
  std::string token;
  std::string word;
  words >> token;
  const std::string text = to_text(what, token);
  while (words >> word) {
    const auto address = parse_address(word);
    for (const int fd : sockets_) {
      if (!address || family_of(fd) != address->storage.ss_family) continue;
      // It may not get there, and nobody relies on it.
      static_cast<void>(::sendto(fd, text.data(), text.size(), MSG_DONTWAIT,
                                 reinterpret_cast<const sockaddr*>(&address->storage), address->length));
    }
  }
}

void RollCall::read_all() {
  for (const int fd : sockets_) {
    char text[256];
    ssize_t bytes = 0;
    while ((bytes = ::recv(fd, text, sizeof text, MSG_DONTWAIT)) >= 0) {
      const auto one = parse_called({text, static_cast<std::size_t>(bytes)}, token_);
      // It comes by every address that two nodes have in common.
      if (one && std::ranges::find(heard_, *one) == heard_.end()) heard_.push_back(*one);
    }
  }
}

std::vector<Called> RollCall::hear(std::size_t round, std::size_t wanted, std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (true) {
    read_all();
    std::erase_if(heard_, [&](const Called& one) { return one.round < round; });
    const auto stopped =
        std::ranges::count_if(heard_, [&](const Called& one) { return one.round == round && one.progress; });
    if (static_cast<std::size_t>(stopped) >= wanted || Clock::now() >= deadline) break;
    std::vector<pollfd> polled;
    for (const int fd : sockets_) polled.push_back({fd, POLLIN, 0});
    ::poll(polled.data(), polled.size(), 20);
  }
  std::vector<Called> now;
  std::ranges::copy_if(heard_, std::back_inserter(now), [&](const Called& one) { return one.round == round; });
  return now;
}

std::string to_text(const Called& one, std::string_view token) {
  return std::string(token) + " " + std::to_string(one.round) + " " + std::to_string(one.rank) +
         (one.progress ? " " + std::to_string(*one.progress) : "");
}

std::optional<Called> parse_called(std::string_view text, std::string_view token) {
  std::istringstream words{std::string(text)};
  std::string first;
  Called one;
  int progress = 0;
  if (!(words >> first >> one.round >> one.rank) || first != token) return std::nullopt;
  if (words >> progress) one.progress = progress;
  return one;
}

std::string waited_for(const std::vector<NamedRank>& others, const std::vector<Called>& heard, std::optional<int> own) {
  const auto list = [](const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& one : names) text += (text.empty() ? "" : ", ") + one;
    return text;
  };
  const auto said = [&](int rank) -> const Called* {
    const auto found = std::ranges::find_if(
        heard, [&](const Called& one) { return one.rank == rank && one.progress.has_value() == own.has_value(); });
    return found == heard.end() ? nullptr : &*found;
  };
  std::vector<std::string> silent;
  for (const NamedRank& one : others) {
    if (said(one.rank) == nullptr) silent.push_back(one.node);
  }
  // Where nobody was heard of, datagrams may not get through.
  if (silent.size() == others.size() && others.size() > 1) return {};
  if (!silent.empty()) return list(silent);
  if (!own) return {};
  int least = *own;
  for (const NamedRank& one : others) least = std::min(least, *said(one.rank)->progress);
  std::vector<std::string> behind;
  for (const NamedRank& one : others) {
    if (*said(one.rank)->progress == least) behind.push_back(one.node);
  }
  return least < *own && behind.size() <= others.size() ? list(behind) : std::string();
}

}  // namespace rackproof
