#include "graphs/limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rackproof {
namespace {

constexpr std::string_view kRelations = "'>=', '<=', '==' or 'within P % of'";

struct NamedSubject {
  std::string_view name;
  Subject subject;
};
constexpr NamedSubject kSubjects[] = {
    {"count", Subject::count}, {"spread", Subject::spread}, {"shortfall", Subject::shortfall}};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// More than any declared name may hold, so that a misspelt one is quoted whole.
bool is_of_name(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

struct Number {
  double value = 0;
  std::size_t length = 0;  // 0: there is none
};

Number leading_number(std::string_view text) {
  Number number;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  if (code == std::errc{}) number.length = static_cast<std::size_t>(end - text.data());
  return number;
}

bool may_begin_name(char c) { return is_letter(c) || c == '_'; }

// METRIC or STEP.METRIC; a step's id may begin with a digit.
bool may_be_name(std::string_view word) {
  if (word.empty()) return false;
  const std::size_t dot = word.find('.');
  return may_begin_name(word.front()) || (dot + 1 < word.size() && dot > 0 && may_begin_name(word[dot + 1]));
}

// Reads one sentence from left to right; throws LimitError at the first word that does not fit.
class Sentence {
 public:
  explicit Sentence(std::string_view text) : text_(text) {}

  Limit limit() {
    Limit limit;
    limit.text = text_;
    read_subject(limit);
    if (take_word("on")) limit.devices = glob();
    read_relation(limit);
    limit.bound = bound(limit);
    return limit;
  }

 private:
  [[noreturn]] void refuse(std::string why) const { throw LimitError{std::move(why), at_}; }

  std::string_view rest() const { return text_.substr(at_); }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool take(std::string_view symbol) {
    skip_blanks();
    if (!rest().starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }

  bool take_word(std::string_view word) {
    skip_blanks();
    if (next_while(is_of_name) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string_view next_while(bool (*belongs)(char)) const {
    std::size_t end = at_;
    while (end < text_.size() && belongs(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  // What stands at this place, for a message.
  std::string_view next_word() const {
    return next_while([](char c) { return !is_blank(c); });
  }

  std::string name(std::string_view what) {
    skip_blanks();
    const std::string_view word = next_while(is_of_name);
    if (word.empty() && rest().empty()) refuse(fmt::format("the sentence ends where {} must stand", what));
    if (word.empty()) refuse(fmt::format("'{}' stands where {} must", next_word(), what));
    if (!may_begin_name(word.front())) refuse(fmt::format("'{}' is not {}", word, what));
    at_ += word.size();
    return std::string(word);
  }

  void read_subject(Limit& limit) {
    const std::size_t begin = at_;
    limit.metric = name("the name of a metric");
    const auto* subject = std::ranges::find(kSubjects, limit.metric, &NamedSubject::name);
    if (subject != std::end(kSubjects) && take("(")) {
      limit.subject = subject->subject;
      limit.metric = name("the name of a metric");
      if (!take(")")) refuse(fmt::format("a ')' must follow '{}({}'", subject->name, limit.metric));
    }
    if (const std::size_t dot = limit.metric.find('.'); dot != limit.metric.npos) {
      at_ = begin;
      refuse(fmt::format("'{}' names a metric of another step, which only the right side may", limit.metric));
    }
  }

  std::string glob() {
    skip_blanks();
    const std::string_view word =
        next_while([](char c) { return !is_blank(c) && c != '<' && c != '>' && c != '=' && c != '!'; });
    if (word.empty()) refuse("no device stands after 'on'");
    at_ += word.size();
    return std::string(word);
  }

  void read_relation(Limit& limit) {
    if (take(">=")) {
      limit.relation = Relation::at_least;
    } else if (take("<=")) {
      limit.relation = Relation::at_most;
    } else if (take("==")) {
      limit.relation = Relation::equal;
    } else if (take_word("within")) {
      limit.relation = Relation::within;
      const auto tolerance = percentage();
      if (!tolerance) refuse("a percentage and 'of' must follow 'within', as in 'within 5 % of 400 W'");
      limit.tolerance = *tolerance;
    } else if (rest().empty()) {
      refuse(fmt::format("the sentence ends without a relation: {}", kRelations));
    } else {
      refuse(fmt::format("'{}' stands where a relation must: {}", next_word(), kRelations));
    }
    skip_blanks();
    if (rest().empty()) refuse("the sentence ends without a value");
  }

  // "P % of"; leaves the place as it was when that is not what comes.
  std::optional<double> percentage() {
    const std::size_t begin = at_;
    skip_blanks();
    const Number number = leading_number(rest());
    at_ += number.length;
    if (number.length > 0 && std::isfinite(number.value) && take("%") && take_word("of")) return number.value;
    at_ = begin;
    return std::nullopt;
  }

  std::variant<FixedBound, ShareBound> bound(const Limit& limit) {
    const std::size_t begin = at_;
    if (const auto percent = percentage()) return share(limit, *percent, begin);
    QuantityError error;
    if (const auto quantity = parse_quantity(rest(), error)) return FixedBound{*quantity};
    const std::string_view word = next_while(is_of_name);
    if (const Number number = leading_number(rest()); number.length >= word.size() && !std::isfinite(number.value)) {
      refuse(fmt::format("nothing can be held against '{}'", rest()));
    }
    if (!may_be_name(word)) refuse(error.text);
    return share(limit, 100, begin);
  }

  // METRIC or STEP.METRIC, and the end of the sentence.
  ShareBound share(const Limit& limit, double percent, std::size_t begin) {
    ShareBound share{.percent = percent, .step = "", .metric = ""};
    skip_blanks();
    const std::string_view word = next_while(is_of_name);
    if (const std::size_t dot = word.find('.'); dot != word.npos && dot > 0) {
      share.step = word.substr(0, dot);
      at_ += dot + 1;
    }
    share.metric = name("a metric, or STEP.METRIC,");
    if (share.metric.find('.') != share.metric.npos) refuse("only one dot may stand in STEP.METRIC");
    skip_blanks();
    if (!rest().empty()) refuse(fmt::format("'{}' stands after the end of the sentence", rest()));
    if (limit.subject != Subject::each) {
      at_ = begin;
      refuse("count(), spread() and shortfall() are held against a number, not against a metric");
    }
    return share;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<Limit> parse_limit(std::string_view sentence, LimitError& error) {
  try {
    return Sentence(sentence).limit();
  } catch (LimitError& refused) {
    error = std::move(refused);
    return std::nullopt;
  }
}

}  // namespace rackproof
