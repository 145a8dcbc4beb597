// Preloaded, it makes UCX say that it moves memory of GPUs, and gives it such memory as the host's, which that of simulated
// GPUs is.
#include <dlfcn.h>
#include <ucp/api/ucp.h>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

ucp_request_param_t of_the_host(const ucp_request_param_t* given) {
  ucp_request_param_t param = *given;
  if ((param.op_attr_mask & UCP_OP_ATTR_FIELD_MEMORY_TYPE) != 0) param.memory_type = UCS_MEMORY_TYPE_HOST;
  return param;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) ucs_status_t ucp_context_query(ucp_context_h context, ucp_context_attr_t* facts) {
  const ucs_status_t status = real<decltype(ucp_context_query)>("ucp_context_query")(context, facts);
  if ((facts->field_mask & UCP_ATTR_FIELD_MEMORY_TYPES) != 0) facts->memory_types |= UCS_BIT(UCS_MEMORY_TYPE_CUDA);
  return status;
}

__attribute__((visibility("default"))) ucs_status_t ucp_mem_map(ucp_context_h context, const ucp_mem_map_params_t* given,
                                                                ucp_mem_h* memory) {
  ucp_mem_map_params_t params = *given;
  params.memory_type = UCS_MEMORY_TYPE_HOST;
  return real<decltype(ucp_mem_map)>("ucp_mem_map")(context, &params, memory);
}

__attribute__((visibility("default"))) ucs_status_ptr_t ucp_tag_send_nbx(ucp_ep_h endpoint, const void* from,
                                                                         size_t count, ucp_tag_t tag,
                                                                         const ucp_request_param_t* given) {
  const ucp_request_param_t param = of_the_host(given);
  return real<decltype(ucp_tag_send_nbx)>("ucp_tag_send_nbx")(endpoint, from, count, tag, &param);
}

__attribute__((visibility("default"))) ucs_status_ptr_t ucp_tag_recv_nbx(ucp_worker_h worker, void* to, size_t count,
                                                                         ucp_tag_t tag, ucp_tag_t mask,
                                                                         const ucp_request_param_t* given) {
  const ucp_request_param_t param = of_the_host(given);
  return real<decltype(ucp_tag_recv_nbx)>("ucp_tag_recv_nbx")(worker, to, count, tag, mask, &param);
}

__attribute__((visibility("default"))) ucs_status_ptr_t ucp_put_nbx(ucp_ep_h endpoint, const void* from, size_t count,
                                                                    uint64_t far, ucp_rkey_h key,
                                                                    const ucp_request_param_t* given) {
  const ucp_request_param_t param = of_the_host(given);
  return real<decltype(ucp_put_nbx)>("ucp_put_nbx")(endpoint, from, count, far, key, &param);
}

__attribute__((visibility("default"))) ucs_status_ptr_t ucp_get_nbx(ucp_ep_h endpoint, void* to, size_t count,
                                                                    uint64_t far, ucp_rkey_h key,
                                                                    const ucp_request_param_t* given) {
  const ucp_request_param_t param = of_the_host(given);
  return real<decltype(ucp_get_nbx)>("ucp_get_nbx")(endpoint, to, count, far, key, &param);
}
}
