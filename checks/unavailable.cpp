// The body of a check whose dependency was missing when it was built.
#include "checks/api/check.h"

void rackproof_run(rackproof::Context&) {
  throw rackproof::Skip{"built without " RACKPROOF_MISSING ", so it cannot measure"};
}
