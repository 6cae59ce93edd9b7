// Handles are TensorImpl pointers that own one reference: an argument is read in place, without touching its count.
#pragma once
#include "torch_shim.h"
#include <ATen/ATen.h>
#include <vector>

static_assert(sizeof(at::Tensor) == sizeof(void*), "at::Tensor is expected to be one intrusive pointer");

// Records the exception in flight as the thread's last error.
ts_status record_exception() noexcept;

#define TS_GUARDED(...)             \
    try {                           \
        __VA_ARGS__;                \
        return TS_OK;               \
    } catch (...) {                 \
        return record_exception();  \
    }

inline const at::Tensor& borrow(const ts_tensor& handle) {
    TORCH_CHECK(handle != nullptr, "expected a tensor, found none (or one already disposed)");
    return reinterpret_cast<const at::Tensor&>(handle);
}

inline ts_tensor give(at::Tensor&& tensor) {
    return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr;
}

inline std::vector<at::Tensor> tensor_vector(const ts_tensor* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) {
        tensors.push_back(borrow(handles[i]));
    }
    return tensors;
}
