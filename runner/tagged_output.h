// The stdout of mpirun: it cuts what ranks say into blocks and mixes these, wherever their lines end. With --tag-output
// each block begins with "[JOB,RANK]<stdout>:", by which the ranks' lines are put together again.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rackproof {

class TaggedOutput {
 public:
  // A line as it came; the whole line that it completes. What stands before any tag is mpirun's own.
  std::string take(std::string_view line);

 private:
  std::map<std::string, std::string, std::less<>> partial_;  // by tag
  std::string speaks_;  // whose block it is that goes on
};

}  // namespace rackproof
