#include "graphs/limit.h"

#include <catch2/catch.hpp>
#include <random>

using namespace rackproof;

namespace {

Limit parsed(const std::string& sentence) {
  LimitError error;
  const auto limit = parse_limit(sentence, error);
  CAPTURE(sentence, error.text);
  REQUIRE(limit);
  CHECK(limit->text == sentence);
  return *limit;
}

LimitError refused(const std::string& sentence) {
  LimitError error;
  CAPTURE(sentence);
  CHECK_FALSE(parse_limit(sentence, error));
  return error;
}

Quantity fixed(const Limit& limit) { return std::get<FixedBound>(limit.bound).value; }
ShareBound share(const Limit& limit) { return std::get<ShareBound>(limit.bound); }

const std::vector<MetricDeclaration> kOwn{
    {"busbw", "GB/s", "higher"},   {"width", "lanes", "higher"}, {"width_capable", "lanes", "bound"},
    {"errors", "count", "lower"},  {"busy", "%", "higher"},      {"loss", "%", "lower"},
    {"heat", "degC", "lower"},     {"power", "W", "exact"},      {"latency", "us", "lower"},
    {"odd", "furlongs", "higher"},
};

std::string objection(const std::string& sentence) {
  static const std::vector<MetricDeclaration> kLinks{{"width", "lanes", "higher"}, {"speed_capable", "GT/s", "bound"}};
  return objection_to(parsed(sentence), kOwn,
                      [](std::string_view step) { return step == "links" ? &kLinks : nullptr; });
}

}  // namespace

TEST_CASE("a limit is a metric, a relation and a quantity") {
  const Limit limit = parsed("busbw >= 45.5 GB/s");
  CHECK(limit.subject == Subject::each);
  CHECK(limit.metric == "busbw");
  CHECK(limit.devices == "*");
  CHECK(limit.relation == Relation::at_least);
  CHECK(fixed(limit).number == 45.5);
  CHECK(fixed(limit).unit->symbol == "GB/s");

  CHECK(parsed("latency <= 5us").relation == Relation::at_most);
  CHECK(parsed("errors==0").relation == Relation::equal);
  CHECK(fixed(parsed("heat <= -5 degC")).number == -5);
  CHECK(fixed(parsed("errors <= 1e3")).number == 1000);
}

TEST_CASE("a limit may be for some devices, for their number or for their spread") {
  CHECK(parsed("width on pci:0000:1?:00.0 == 16 lanes").devices == "pci:0000:1?:00.0");
  CHECK(parsed("width on gpu:*>=8 lanes").devices == "gpu:*");
  const Limit count = parsed("count( width ) on gpu:* == 8");
  CHECK(count.subject == Subject::count);
  CHECK(count.metric == "width");
  CHECK(count.devices == "gpu:*");
  CHECK(parsed("spread(busbw) <= 5 %").subject == Subject::spread);
  // Neither word is reserved.
  CHECK(parsed("count >= 5").metric == "count");
  CHECK(parsed("on on on == 5").devices == "on");
}

TEST_CASE("a bound may be a share of a metric, here or of an earlier step") {
  CHECK(share(parsed("width == 100 % of width_capable")) == ShareBound{100, "", "width_capable"});
  CHECK(share(parsed("width >= 87.5%of width_capable")) == ShareBound{87.5, "", "width_capable"});
  CHECK(share(parsed("width == width_capable")) == ShareBound{100, "", "width_capable"});
  CHECK(share(parsed("busbw >= 90 % of links-2.speed")) == ShareBound{90, "links-2", "speed"});
  CHECK(share(parsed("busbw >= 4k.read")) == ShareBound{100, "4k", "read"});
  CHECK(share(parsed("busbw >= 16.width")) == ShareBound{100, "16", "width"});
  // A name may begin as infinity does.
  CHECK(share(parsed("busbw >= information")) == ShareBound{100, "", "information"});
}

TEST_CASE("within has a tolerance, and then any bound") {
  const Limit limit = parsed("power within 5 % of 400 W");
  CHECK(limit.relation == Relation::within);
  CHECK(limit.tolerance == 5);
  CHECK(fixed(limit).number == 400);
  const Limit nested = parsed("power within 5 % of 90 % of other.power");
  CHECK(nested.tolerance == 5);
  CHECK(share(nested) == ShareBound{90, "other", "power"});
}

TEST_CASE("a sentence that does not parse is refused at the word that does not fit") {
  const auto check = [](const std::string& sentence, std::size_t offset, const std::string& part) {
    const LimitError error = refused(sentence);
    CAPTURE(error.text);
    CHECK(error.offset == offset);
    CHECK(error.text.find(part) != std::string::npos);
  };
  check("", 0, "the sentence ends where the name of a metric must stand");
  check("   ", 3, "the sentence ends");
  check("5 >= width", 0, "'5' is not the name of a metric");
  check(">= 5", 0, "'>=' stands where the name of a metric must");
  check("links.width >= 5", 0, "only the right side may");
  check("width", 5, "without a relation");
  check("width > 5", 6, "'>' stands where a relation must");
  check("width => 5", 6, "'=>'");
  check("width = 5", 6, "'='");
  check("width != 5", 6, "'!='");
  check("width ≥ 5", 6, "'≥'");
  check("width on", 8, "no device");
  check("width on >= 5", 9, "no device");
  check("width >=", 8, "without a value");
  check("width >= fast!", 13, "'!' stands after the end");
  check("width >= 5 furlongs", 9, "unknown unit 'furlongs'");
  check("width >= 1e999 lanes", 9, "beyond any number");
  check("width <= inf", 9, "nothing can be held against 'inf'");
  check("width <= nan GB/s", 9, "nothing can be held against 'nan GB/s'");
  check("width <= -inf", 9, "'-inf'");
  check("width >= + 5", 9, "does not begin with a number");
  check("width within 5 of 4 lanes", 12, "a percentage and 'of' must follow");
  check("width within 5 %", 12, "a percentage and 'of' must follow");
  check("width within inf % of 4 lanes", 12, "a percentage and 'of' must follow");
  check("width within 5 % of", 19, "without a value");
  check("width >= 5 % of", 15, "the sentence ends where a metric");
  check("width >= 5 % of 3", 16, "'3' is not a metric");
  check("width >= a.b.c", 14, "only one dot");
  check("count(width >= 5", 12, "a ')' must follow");
  check("count() >= 5", 6, "')' stands where the name of a metric must");
  check("count(width) == 100 % of width", 16, "held against a number");
  check("spread(width) <= width_capable", 17, "held against a number");
}

TEST_CASE("no text makes the parser fail otherwise than by refusing") {
  std::mt19937 random(7);
  const std::string alphabet = "abw_-. 019%><=()ofwithnscu\t\xC2\xB5*?\n";
  for (int i = 0; i < 20000; ++i) {
    std::string sentence;
    for (auto length = random() % 40; length > 0; --length) sentence += alphabet[random() % alphabet.size()];
    LimitError error;
    const auto limit = parse_limit(sentence, error);
    if (limit && limit->text != sentence) FAIL("the text of a limit is not what was written: " << sentence);
    if (!limit && (error.text.empty() || error.offset > sentence.size())) FAIL("refused without a place: " << sentence);
  }
}

TEST_CASE("a limit that can be judged is not objected to") {
  for (const char* sentence :
       {"busbw >= 45 GB/s", "busbw >= 360 Gb/s", "width == 100 % of width_capable", "width <= 150 % of width_capable",
        "width_capable >= 16 lanes", "width == links.width", "errors == 0", "errors <= 0", "busy >= 100 %",
        "loss >= 150 %", "heat <= -5 degC", "heat >= 0 degC", "power within 100 % of 400 W", "count(width) == 0",
        "count(width) >= 1", "spread(busbw) <= 0 %", "spread(busbw) <= 0.05 ratio", "latency <= 1 ms"}) {
    CAPTURE(sentence);
    CHECK(objection(sentence) == "");
  }
}

TEST_CASE("a limit that can never be judged, fail or hold is objected to") {
  CHECK(objection("busbv >= 5 GB/s") == "unknown metric 'busbv'; did you mean 'busbw'?");
  CHECK(objection_to(parsed("x >= 5"), {}, {}) == "unknown metric 'x': the check declares none");
  CHECK(objection("odd >= 5 GB/s") == "odd is declared in the unknown unit 'furlongs'");

  CHECK(objection("busbw >= 5 ms") == "busbw is a data rate (GB/s), 'ms' is a time");
  CHECK(objection("errors <= 5 ms") == "errors is a count, 'ms' is a time");
  CHECK(objection("width >= 16") == "width is a number of lanes (lanes), '16' has no unit: write '16 lanes'");
  CHECK(objection("busy >= 0.95") == "busy is a ratio (%), '0.95' has no unit: write a percentage such as '95 %'");

  CHECK(objection("busbw >= -1 GB/s") == "busbw is a data rate, and none is below 0");
  CHECK(objection("heat <= -273.16 degC") == "heat is a temperature, and none is below -273.15 degC");
  CHECK(objection("busbw >= 0 GB/s") == "'busbw >= 0 GB/s' can never fail");
  CHECK(objection("errors >= 0") == "'errors >= 0' can never fail");
  CHECK(objection("heat >= -273.15 degC") == "'heat >= -273.15 degC' can never fail");
  CHECK(objection("busy >= 101 %") == "busy cannot exceed 100 %, so 'busy >= 101 %' can never hold");
  CHECK(objection("busy <= 1.5 ratio") == "'busy <= 1.5 ratio' can never fail");

  CHECK(objection("power within 0 % of 400 W").find("not 0 %") != std::string::npos);
  CHECK(objection("power within 101 % of 400 W").find("not 101 %") != std::string::npos);
  CHECK(objection("power within -5 % of 400 W").find("not -5 %") != std::string::npos);
  CHECK(objection("errors within 5 % of 0") == "within a percentage of 0 is 0 itself: write 'errors == 0'");
}

TEST_CASE("a share of another metric must be of one dimension and within what hardware can do") {
  CHECK(objection("width == 100 % of busbw") == "width is a number of lanes (lanes), busbw is a data rate (GB/s)");
  CHECK(objection("width == 100 % of widht_capable") ==
        "unknown metric 'widht_capable'; did you mean 'width_capable'?");
  CHECK(objection("width == 100 % of odd") == "odd is declared in the unknown unit 'furlongs'");
  CHECK(objection("width >= 90 % of width") == "width is held against itself");
  CHECK(objection("width >= 0 % of width_capable") == "a share must be above 0 %, not 0 %");
  CHECK(objection("width >= -5 % of width_capable") == "a share must be above 0 %, not -5 %");
  for (const char* relation : {">=", "==", "within 5 % of"}) {
    CHECK(objection("width " + std::string(relation) + " 200 % of width_capable") ==
          "no device can reach 200 % of width_capable, which is what its hardware cannot exceed");
  }
  CHECK(objection("width == 100 % of lnks.width") == "no step 'lnks' comes before this one");
  CHECK(objection("width == links.widht") == "in step 'links': unknown metric 'widht'; did you mean 'width'?");
  CHECK(objection("width == links.speed_capable") ==
        "width is a number of lanes (lanes), speed_capable is a transfer rate (GT/s)");
}

TEST_CASE("counts are whole numbers, spreads are ratios held from above") {
  CHECK(objection("count(width) == 8 lanes") == "count(width) is a whole number of devices, '8 lanes' is not");
  CHECK(objection("count(width) == 1.5") == "count(width) is a whole number of devices, '1.5' is not");
  CHECK(objection("count(width) == -1") == "count(width) is a whole number of devices, '-1' is not");
  CHECK(objection("count(width) >= 0") == "'count(width) >= 0' can never fail");
  CHECK(objection("count(width) within 10 % of 8") == "devices are counted one by one: write 'count(width) == 8'");
  CHECK(objection("count(widht) == 8") == "unknown metric 'widht'; did you mean 'width'?");
  CHECK(objection("spread(busbw) >= 5 %").find("held from above only") != std::string::npos);
  CHECK(objection("spread(busbw) <= 5 GB/s").find("'GB/s' is a data rate") != std::string::npos);
  CHECK(objection("spread(busbw) <= 0.05").find("has no unit") != std::string::npos);
  CHECK(objection("spread(busbw) <= -5 %").find("none is below 0") != std::string::npos);
}

TEST_CASE("a bound that is no number is objected to however it came about") {
  Limit limit = parsed("busbw >= 5 GB/s");
  limit.bound = FixedBound{{std::numeric_limits<double>::quiet_NaN(), find_unit("GB/s")}};
  CHECK_FALSE(objection_to(limit, kOwn, {}).empty());
  limit.bound = FixedBound{{1e300, find_unit("TB/s")}};
  CHECK_FALSE(objection_to(limit, kOwn, {}).empty());
  limit.bound = FixedBound{};
  CHECK_FALSE(objection_to(limit, kOwn, {}).empty());
}

TEST_CASE("the nearest name is the one that was meant, or none") {
  const std::vector<std::string> known{"expect", "prefer", "timeout", "read_p99", "h2d", "id"};
  CHECK(nearest("expct", known) == "expect");
  CHECK(nearest("exepct", known) == "expect");
  CHECK(nearest("EXPECT", known) == "expect");
  CHECK(nearest("time-out", known) == "timeout");
  CHECK(nearest("read-p99", known) == "read_p99");
  CHECK(nearest("zebra", known) == "");
  CHECK(nearest("x", known) == "");
  CHECK(nearest("", known) == "");
  CHECK(nearest(std::string(100'000, 'x'), known) == "");
  CHECK(did_you_mean("prefre", known) == "; did you mean 'prefer'?");
  CHECK(did_you_mean("zebra", known) == "");
}

TEST_CASE("globs match whole texts, by character") {
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("gpu:*", "gpu:0"));
  CHECK_FALSE(matches_glob("gpu:*", "xgpu:0"));
  CHECK(matches_glob("*H100*SXM*", "NVIDIA H100 80GB SXM5"));
  CHECK_FALSE(matches_glob("*H100*PCIe", "NVIDIA H100 80GB SXM5"));
  CHECK(matches_glob("pci:*:00.?", "pci:0000:17:00.1"));
  CHECK_FALSE(matches_glob("?", ""));
  CHECK_FALSE(matches_glob("", "a"));
  CHECK(matches_glob("", ""));
  CHECK(matches_glob("a**b", "ab"));
  CHECK(matches_glob("Intel? Xeon", "Intel\xC2\xAE Xeon"));
  CHECK_FALSE(matches_glob("*??", "\xE2\x82\xAC"));
  CHECK_FALSE(matches_glob("*??b*",
                           "\xE2\x82\xAC"
                           "by"));
  CHECK(matches_glob("[a]", "[a]"));
  // A pattern of many stars takes time with the product of the lengths, not with a power of it.
  std::string stars;
  for (int i = 0; i < 50; ++i) stars += "*a";
  CHECK_FALSE(matches_glob(stars + "b", std::string(5000, 'a')));
}
