// A named value on a vertex or edge, in sixteen bytes: a rack's graph holds millions of them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rackproof {

// Keeps texts for as long as the graph lives, and gives names small numbers.
class TextPool {
 public:
  using Name = std::uint16_t;

  std::string_view keep(std::string_view text);
  Name name(std::string_view text);  // the same text gives the same number
  std::string_view text(Name name) const { return names_[name]; }
  std::size_t names() const { return names_.size(); }

 private:
  std::pmr::monotonic_buffer_resource memory_;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, Name> index_;
};

class Property {
 public:
  enum class Type : std::uint8_t { text, integer, number };

  // The text must outlive the property: it comes from a TextPool or is a constant.
  Property(TextPool::Name name, std::string_view text)
      : name_(name), type_(Type::text), size_(static_cast<std::uint32_t>(text.size())), text_(text.data()) {}
  Property(TextPool::Name name, std::int64_t integer) : name_(name), type_(Type::integer), integer_(integer) {}
  Property(TextPool::Name name, double number) : name_(name), type_(Type::number), number_(number) {}

  TextPool::Name name() const { return name_; }
  Type type() const { return type_; }
  std::string_view text() const { return {text_, size_}; }
  std::int64_t integer() const { return integer_; }
  double number() const { return type_ == Type::integer ? static_cast<double>(integer_) : number_; }

 private:
  TextPool::Name name_;
  Type type_;
  std::uint32_t size_ = 0;
  union {
    const char* text_;
    std::int64_t integer_;
    double number_;
  };
};
static_assert(sizeof(Property) == 16);

using Properties = std::vector<Property>;

}  // namespace rackproof
