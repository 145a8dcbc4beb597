// A trial's measurements, and what they come to against one expectation.
#pragma once

#include <vector>

#include "graphs/run.h"

namespace rackproof {

class Evidence {
 public:
  Evidence(const Run&, const TrialRecord&);

  // Measurements that prove nothing whatever the limits are: not a number, an undeclared metric, a unit that does not
  // convert to the declared one.
  const std::vector<Finding>& malformed() const { return malformed_; }

  // Empty when the expectation holds; otherwise one finding a device, the worst first.
  std::vector<Finding> against(const Expectation&) const;

 private:
  void take(const Measurement&);
  std::vector<const Measurement*> measured(const Limit&) const;
  std::vector<Finding> each(const Expectation&) const;
  std::vector<Finding> over_devices(const Expectation&) const;
  // The bound in base units; NaN, and `why` says so, when there is no evidence for what it refers to.
  double bound(const Limit&, const Measurement&, std::string& why) const;
  const Measurement* reference(const ShareBound&, const Measurement&) const;
  Finding finding(Outcome, const Expectation&, std::string_view device, std::string text) const;
  std::string where(const Expectation&) const;

  const Run& run_;
  const TrialRecord& trial_;
  const Step& step_;
  std::vector<const Measurement*> all_;  // that are not malformed
  std::vector<Finding> malformed_;
};

}  // namespace rackproof
