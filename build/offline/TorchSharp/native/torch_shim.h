// C ABI of the shim: fixed-size integers, doubles and opaque pointers only, and no exception ever leaves it.
#pragma once
#include <stdint.h>

#define TS_API extern "C" __attribute__((visibility("default")))

// One owned reference to a tensor. NULL stands for an undefined tensor.
typedef void* ts_tensor;
// One owned reference to a random number generator.
typedef void* ts_generator;
// 0, or an error whose text is in ts_last_error() of the same thread.
typedef int32_t ts_status;

enum { TS_OK = 0, TS_ERROR = 1 };

// An argument or a result of an operator. Lists are borrowed for the time of the call.
enum {
    TS_NONE = 0,
    TS_TENSOR = 1,
    TS_INT = 2,
    TS_DOUBLE = 3,
    TS_BOOL = 4,
    TS_INTS = 5,
    TS_DOUBLES = 6,
    TS_TENSORS = 7,
    TS_OPTIONAL_TENSORS = 8,
    TS_STRING = 9,
    TS_DEVICE = 10,
    TS_GENERATOR = 11
};

typedef struct ts_value {
    int32_t tag;
    int32_t length;
    union {
        int64_t integer;
        double number;
        const void* pointer;
    } as;
} ts_value;

typedef struct ts_description {
    int64_t numel;
    int64_t element_size;
    int64_t storage_offset;
    int32_t dtype;
    int32_t dims;
    int32_t device_type;
    int32_t device_index;
    int32_t requires_grad;
    int32_t is_leaf;
    int32_t is_contiguous;
    int32_t has_storage;
} ts_description;

// Process
TS_API void ts_initialize(void);
TS_API const char* ts_last_error(void);
TS_API const char* ts_version(void);
TS_API ts_status ts_set_num_threads(int32_t count);
TS_API int32_t ts_get_num_threads(void);
// The configuration of the OpenBLAS that libtorch calls, or NULL where it calls another BLAS.
TS_API const char* ts_openblas_config(void);
TS_API int32_t ts_cuda_is_available(void);
TS_API int32_t ts_cudnn_is_available(void);
TS_API int32_t ts_cuda_device_count(void);
TS_API ts_status ts_cuda_synchronize(int64_t device_index);
TS_API ts_status ts_cuda_manual_seed(uint64_t seed, int32_t all);

// Tensors
TS_API ts_status ts_copy_from(const void* data, const int64_t* sizes, int32_t dims, int32_t dtype, ts_tensor* result);
TS_API ts_status ts_borrow(void* data, const int64_t* sizes, int32_t dims, int32_t dtype, void (*release)(void*), void* context,
                           ts_tensor* result);
TS_API void ts_release(ts_tensor tensor);
TS_API void ts_describe(ts_tensor tensor, ts_description* description);
TS_API ts_status ts_sizes_and_strides(ts_tensor tensor, int64_t* sizes, int64_t* strides);
TS_API ts_status ts_data(ts_tensor tensor, void** data);

// Operators, by the name and overload of their schema. The results stay valid until the thread's next call.
TS_API ts_status ts_find_operator(const char* name, const char* overload, void** op);
TS_API ts_status ts_call(void* op, const ts_value* arguments, int32_t count, int32_t keep_results, const ts_value** results,
                         int32_t* result_count);

// Autograd
TS_API int32_t ts_grad_enabled(void);
TS_API void ts_set_grad_enabled(int32_t enabled);
TS_API int32_t ts_inference_mode_enabled(void);
TS_API void* ts_inference_mode_enter(int32_t enabled);
TS_API void ts_inference_mode_leave(void* guard);
TS_API ts_status ts_set_requires_grad(ts_tensor tensor, int32_t requires_grad);
TS_API ts_status ts_retain_grad(ts_tensor tensor);
TS_API ts_status ts_grad(ts_tensor tensor, ts_tensor* result);
TS_API ts_status ts_set_grad(ts_tensor tensor, ts_tensor gradient);
TS_API ts_status ts_backward(const ts_tensor* roots, int32_t root_count, const ts_tensor* gradients, int32_t gradient_count,
                             int32_t retain_graph, int32_t create_graph, const ts_tensor* inputs, int32_t input_count);
TS_API ts_status ts_autograd_grad(const ts_tensor* outputs, int32_t output_count, const ts_tensor* inputs, int32_t input_count,
                                  const ts_tensor* gradients, int32_t gradient_count, int32_t retain_graph, int32_t create_graph,
                                  int32_t allow_unused, ts_tensor* results);

// Random numbers
TS_API ts_status ts_manual_seed(uint64_t seed);
TS_API ts_status ts_generator_new(uint64_t seed, int32_t device_type, int32_t device_index, ts_generator* result);
TS_API ts_status ts_generator_default(ts_generator* result);
TS_API void ts_generator_release(ts_generator generator);
TS_API ts_status ts_generator_seed(ts_generator generator, uint64_t seed);
TS_API ts_status ts_generator_initial_seed(ts_generator generator, uint64_t* seed);
TS_API ts_status ts_generator_state(ts_generator generator, ts_tensor* result);
TS_API ts_status ts_generator_set_state(ts_generator generator, ts_tensor state);

// Optimisers: one call a step over all the parameters of a group. Parameters without a gradient are left alone.
TS_API ts_status ts_zero_grads(const ts_tensor* parameters, int32_t count, int32_t set_to_none);
TS_API ts_status ts_clip_grad_norm(const ts_tensor* parameters, int32_t count, double max_norm, double norm_type, double* total_norm);
TS_API ts_status ts_clip_grad_value(const ts_tensor* parameters, int32_t count, double limit);
// buffers: in and out; a NULL buffer is made from the gradient where momentum asks for one.
TS_API ts_status ts_sgd_step(const ts_tensor* parameters, ts_tensor* buffers, int32_t count, double learning_rate, double momentum,
                             double dampening, double weight_decay, int32_t nesterov, int32_t maximize);
// steps: counted up here. maxima: NULL without AMSGrad. decoupled: AdamW's weight decay.
TS_API ts_status ts_adam_step(const ts_tensor* parameters, const ts_tensor* means, const ts_tensor* squares, const ts_tensor* maxima,
                              int64_t* steps, int32_t count, double learning_rate, double beta1, double beta2, double eps,
                              double weight_decay, int32_t decoupled, int32_t maximize);
