#include "handles.h"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Logging.h>
#include <cstdlib>
#include <dlfcn.h>
#include <functional>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <mutex>
#include <string>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>
#include <torch/version.h>

namespace {

thread_local std::string last_error;
thread_local std::vector<ts_value> last_results;

// std::optional in newer libtorch, c10::optional before: taken from an API that returns it.
using OptionalTensor = decltype(std::declval<c10::IValue>().toOptional<at::Tensor>());

at::Device device_of(int32_t type, int32_t index) {
    return at::Device(static_cast<at::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

at::ScalarType scalar_type(int32_t dtype) {
    TORCH_CHECK(dtype >= 0 && dtype < static_cast<int32_t>(at::ScalarType::NumOptions), "unknown element type ", dtype);
    return static_cast<at::ScalarType>(dtype);
}

const at::Generator& generator_of(ts_generator handle) {
    TORCH_CHECK(handle != nullptr, "expected a generator, found none (or one already disposed)");
    return *static_cast<at::Generator*>(handle);
}

// A library loaded for .NET is not in the global scope: symbols are looked up in its own dependency tree.
void* find_symbol(const char* name) {
    Dl_info own;
    if (dladdr(reinterpret_cast<void*>(&ts_last_error), &own) == 0) {
        return nullptr;
    }
    void* library = dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) {
        return nullptr;
    }
    void* symbol = dlsym(library, name);
    dlclose(library);
    return symbol;
}

c10::IValue to_ivalue(const ts_value& value) {
    switch (value.tag) {
    case TS_NONE:
        return c10::IValue();
    case TS_TENSOR: {
        ts_tensor handle = const_cast<void*>(value.as.pointer);
        return c10::IValue(borrow(handle));
    }
    case TS_INT:
        return c10::IValue(value.as.integer);
    case TS_DOUBLE:
        return c10::IValue(value.as.number);
    case TS_BOOL:
        return c10::IValue(value.as.integer != 0);
    case TS_INTS: {
        auto items = static_cast<const int64_t*>(value.as.pointer);
        c10::List<int64_t> list;
        list.reserve(value.length);
        for (int32_t i = 0; i < value.length; i++) {
            list.push_back(items[i]);
        }
        return list;
    }
    case TS_DOUBLES: {
        auto items = static_cast<const double*>(value.as.pointer);
        c10::List<double> list;
        list.reserve(value.length);
        for (int32_t i = 0; i < value.length; i++) {
            list.push_back(items[i]);
        }
        return list;
    }
    case TS_TENSORS: {
        auto items = static_cast<const ts_tensor*>(value.as.pointer);
        c10::List<at::Tensor> list;
        list.reserve(value.length);
        for (int32_t i = 0; i < value.length; i++) {
            list.push_back(borrow(items[i]));
        }
        return list;
    }
    case TS_OPTIONAL_TENSORS: {
        auto items = static_cast<const ts_tensor*>(value.as.pointer);
        c10::List<OptionalTensor> list;
        list.reserve(value.length);
        for (int32_t i = 0; i < value.length; i++) {
            list.push_back(items[i] != nullptr ? OptionalTensor(borrow(items[i])) : OptionalTensor());
        }
        return list;
    }
    case TS_STRING:
        return c10::IValue(std::string(static_cast<const char*>(value.as.pointer), value.length));
    case TS_DEVICE:
        return c10::IValue(device_of(value.length, static_cast<int32_t>(value.as.integer)));
    case TS_GENERATOR:
        return c10::IValue(generator_of(const_cast<void*>(value.as.pointer)));
    }
    TORCH_CHECK(false, "unknown kind of argument ", value.tag);
}

void add_result(at::Tensor&& tensor) {
    ts_value result{};
    result.tag = tensor.defined() ? TS_TENSOR : TS_NONE;
    result.as.pointer = give(std::move(tensor));
    last_results.push_back(result);
}

void add_result(c10::IValue&& value) {
    if (value.isTensor()) {
        add_result(std::move(value).toTensor());
        return;
    }
    if (value.isTensorList()) {
        for (at::Tensor& tensor : value.toTensorVector()) {
            add_result(std::move(tensor));
        }
        return;
    }
    ts_value result{};
    if (value.isBool()) {
        result.tag = TS_BOOL;
        result.as.integer = value.toBool();
    } else if (value.isInt()) {
        result.tag = TS_INT;
        result.as.integer = value.toInt();
    } else if (value.isDouble()) {
        result.tag = TS_DOUBLE;
        result.as.number = value.toDouble();
    } else {
        TORCH_CHECK(false, "unknown kind of result ", value.tagKind());
    }
    last_results.push_back(result);
}

} // namespace

ts_status record_exception() noexcept {
    try {
        try {
            throw;
        } catch (const c10::Error& error) {
            last_error = error.what_without_backtrace();
        } catch (const std::exception& error) {
            last_error = error.what();
        } catch (...) {
            last_error = "unknown native exception";
        }
    } catch (...) {
        // Out of memory while copying the message: the error stands without its text.
    }
    return TS_ERROR;
}

void ts_initialize(void) {
    // c10::Error symbolises a C++ stack trace when it is made, milliseconds an error in 1.13.
    c10::SetStackTraceFetcher(std::function<std::string()>([] { return std::string(); }));
#ifdef __GLIBC__
    // Every training step frees its activations and allocates them anew: given back to the system in between, they cost a
    // page fault for every 4 KB.
    if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr && std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) {
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, 256 << 20);
    }
#endif
}

const char* ts_last_error(void) { return last_error.c_str(); }

const char* ts_version(void) { return TORCH_VERSION; }

ts_status ts_set_num_threads(int32_t count) {
    TS_GUARDED({
        at::set_num_threads(count);
        // ATen's setting does not reach a BLAS with threads of its own.
        for (const char* name : {"openblas_set_num_threads", "bli_thread_set_num_threads"}) {
            if (void* symbol = find_symbol(name)) {
                reinterpret_cast<void (*)(int)>(symbol)(count);
            }
        }
    })
}

int32_t ts_get_num_threads(void) { return at::get_num_threads(); }

const char* ts_openblas_config(void) {
    void* symbol = find_symbol("openblas_get_config");
    return symbol != nullptr ? reinterpret_cast<const char* (*)()>(symbol)() : nullptr;
}

int32_t ts_cuda_device_count(void) {
    try {
        return static_cast<int32_t>(torch::cuda::device_count());
    } catch (...) {
        record_exception();
        return 0;
    }
}

int32_t ts_cuda_is_available(void) { return ts_cuda_device_count() > 0; }

int32_t ts_cudnn_is_available(void) {
    try {
        return torch::cuda::cudnn_is_available();
    } catch (...) {
        record_exception();
        return 0;
    }
}

ts_status ts_cuda_synchronize(int64_t device_index) { TS_GUARDED(torch::cuda::synchronize(device_index)) }

ts_status ts_cuda_manual_seed(uint64_t seed, int32_t all) {
    TS_GUARDED(all != 0 ? torch::cuda::manual_seed_all(seed) : torch::cuda::manual_seed(seed))
}

ts_status ts_copy_from(const void* data, const int64_t* sizes, int32_t dims, int32_t dtype, ts_tensor* result) {
    TS_GUARDED({
        *result = nullptr;
        c10::NoGradGuard no_grad;
        auto options = at::TensorOptions().dtype(scalar_type(dtype));
        at::Tensor tensor = at::empty(at::IntArrayRef(sizes, dims), options);
        if (tensor.nbytes() > 0) {
            std::memcpy(tensor.data_ptr(), data, tensor.nbytes());
        }
        *result = give(std::move(tensor));
    })
}

ts_status ts_borrow(void* data, const int64_t* sizes, int32_t dims, int32_t dtype, void (*release)(void*), void* context,
                    ts_tensor* result) {
    TS_GUARDED({
        *result = nullptr;
        auto options = at::TensorOptions().dtype(scalar_type(dtype));
        *result = give(at::from_blob(data, at::IntArrayRef(sizes, dims), [release, context](void*) { release(context); }, options));
    })
}

void ts_release(ts_tensor tensor) {
    if (tensor != nullptr) {
        // The temporary drops the reference.
        c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(static_cast<c10::TensorImpl*>(tensor));
    }
}

void ts_describe(ts_tensor handle, ts_description* description) {
    const at::Tensor& tensor = reinterpret_cast<const at::Tensor&>(handle);
    description->numel = tensor.numel();
    description->element_size = static_cast<int64_t>(tensor.element_size());
    description->has_storage = tensor.has_storage();
    description->storage_offset = tensor.has_storage() ? tensor.storage_offset() : 0;
    description->dtype = static_cast<int32_t>(tensor.scalar_type());
    description->dims = static_cast<int32_t>(tensor.dim());
    description->device_type = static_cast<int32_t>(tensor.device().type());
    description->device_index = tensor.device().index();
    description->requires_grad = tensor.requires_grad();
    description->is_leaf = tensor.is_leaf();
    try {
        description->is_contiguous = tensor.is_contiguous();
    } catch (...) {
        // Layouts other than the strided one do not know.
        record_exception();
        description->is_contiguous = 0;
    }
}

ts_status ts_sizes_and_strides(ts_tensor tensor, int64_t* sizes, int64_t* strides) {
    TS_GUARDED({
        if (sizes != nullptr) {
            auto from = borrow(tensor).sizes();
            std::copy(from.begin(), from.end(), sizes);
        }
        if (strides != nullptr) {
            auto from = borrow(tensor).strides();
            std::copy(from.begin(), from.end(), strides);
        }
    })
}

ts_status ts_data(ts_tensor tensor, void** data) { TS_GUARDED(*data = borrow(tensor).data_ptr()) }

ts_status ts_find_operator(const char* name, const char* overload, void** op) {
    // Operators live as long as the process: their handles are never freed.
    TS_GUARDED(*op = new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload)))
}

ts_status ts_call(void* op, const ts_value* arguments, int32_t count, int32_t keep_results, const ts_value** results,
                  int32_t* result_count) {
    TS_GUARDED({
        *result_count = 0;
        const auto& handle = *static_cast<c10::OperatorHandle*>(op);
        const auto& schema = handle.schema().arguments();
        TORCH_CHECK(count <= static_cast<int32_t>(schema.size()), "too many arguments for ", handle.schema());
        std::vector<c10::IValue> stack;
        stack.reserve(schema.size());
        for (size_t i = 0; i < schema.size(); i++) {
            if (static_cast<int32_t>(i) < count) {
                stack.push_back(to_ivalue(arguments[i]));
            } else {
                TORCH_CHECK(schema[i].default_value().has_value(), "missing argument ", schema[i].name(), " of ", handle.schema());
                stack.push_back(*schema[i].default_value());
            }
        }
        handle.callBoxed(&stack);
        if (keep_results != 0) {
            last_results.clear();
            for (auto& value : stack) {
                add_result(std::move(value));
            }
            *results = last_results.data();
            *result_count = static_cast<int32_t>(last_results.size());
        }
    })
}

int32_t ts_grad_enabled(void) { return c10::GradMode::is_enabled(); }

void ts_set_grad_enabled(int32_t enabled) { c10::GradMode::set_enabled(enabled != 0); }

int32_t ts_inference_mode_enabled(void) { return c10::InferenceMode::is_enabled(); }

void* ts_inference_mode_enter(int32_t enabled) { return new c10::InferenceMode(enabled != 0); }

void ts_inference_mode_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }

ts_status ts_set_requires_grad(ts_tensor tensor, int32_t requires_grad) {
    TS_GUARDED(borrow(tensor).set_requires_grad(requires_grad != 0))
}

ts_status ts_retain_grad(ts_tensor tensor) { TS_GUARDED(borrow(tensor).retain_grad()) }

ts_status ts_grad(ts_tensor tensor, ts_tensor* result) {
    TS_GUARDED({
        *result = nullptr;
        *result = give(at::Tensor(borrow(tensor).grad()));
    })
}

ts_status ts_set_grad(ts_tensor tensor, ts_tensor gradient) {
    TS_GUARDED({
        const at::Tensor& target = borrow(tensor);
        if (gradient == nullptr) {
            target.mutable_grad() = at::Tensor();
        } else {
            const at::Tensor& value = borrow(gradient);
            TORCH_CHECK(value.sizes() == target.sizes(), "a gradient of shape ", value.sizes(), " does not fit a tensor of shape ",
                        target.sizes());
            TORCH_CHECK(value.scalar_type() == target.scalar_type() && value.device() == target.device(),
                        "a gradient must have the element type and device of its tensor");
            target.mutable_grad() = value;
        }
    })
}

ts_status ts_backward(const ts_tensor* roots, int32_t root_count, const ts_tensor* gradients, int32_t gradient_count,
                      int32_t retain_graph, int32_t create_graph, const ts_tensor* inputs, int32_t input_count) {
    TS_GUARDED(torch::autograd::backward(tensor_vector(roots, root_count), tensor_vector(gradients, gradient_count), retain_graph != 0,
                                         create_graph != 0, tensor_vector(inputs, input_count)))
}

ts_status ts_autograd_grad(const ts_tensor* outputs, int32_t output_count, const ts_tensor* inputs, int32_t input_count,
                           const ts_tensor* gradients, int32_t gradient_count, int32_t retain_graph, int32_t create_graph,
                           int32_t allow_unused, ts_tensor* results) {
    TS_GUARDED({
        auto found = torch::autograd::grad(tensor_vector(outputs, output_count), tensor_vector(inputs, input_count),
                                           tensor_vector(gradients, gradient_count), retain_graph != 0, create_graph != 0,
                                           allow_unused != 0);
        for (size_t i = 0; i < found.size(); i++) {
            results[i] = give(std::move(found[i]));
        }
    })
}

ts_status ts_manual_seed(uint64_t seed) { TS_GUARDED(at::manual_seed(seed)) }

ts_status ts_generator_new(uint64_t seed, int32_t device_type, int32_t device_index, ts_generator* result) {
    TS_GUARDED({
        *result = nullptr;
        auto device = device_of(device_type, device_index);
        at::Generator generator;
        if (device.is_cpu()) {
            generator = at::make_generator<at::CPUGeneratorImpl>(seed);
        } else {
            // A copy of the device's own generator: making one from nothing would need that device's headers.
            at::Generator model = at::globalContext().defaultGenerator(device);
            std::lock_guard<std::mutex> lock(model.mutex());
            generator = model.clone();
            generator.set_current_seed(seed);
        }
        *result = new at::Generator(std::move(generator));
    })
}

ts_status ts_generator_default(ts_generator* result) {
    TS_GUARDED({
        *result = nullptr;
        *result = new at::Generator(at::globalContext().defaultGenerator(at::Device(at::kCPU)));
    })
}

void ts_generator_release(ts_generator generator) { delete static_cast<at::Generator*>(generator); }

ts_status ts_generator_seed(ts_generator generator, uint64_t seed) {
    TS_GUARDED({
        at::Generator target = generator_of(generator);
        std::lock_guard<std::mutex> lock(target.mutex());
        target.set_current_seed(seed);
    })
}

ts_status ts_generator_initial_seed(ts_generator generator, uint64_t* seed) {
    TS_GUARDED({
        at::Generator source = generator_of(generator);
        std::lock_guard<std::mutex> lock(source.mutex());
        *seed = source.current_seed();
    })
}

ts_status ts_generator_state(ts_generator generator, ts_tensor* result) {
    TS_GUARDED({
        *result = nullptr;
        at::Generator source = generator_of(generator);
        std::lock_guard<std::mutex> lock(source.mutex());
        *result = give(source.get_state());
    })
}

ts_status ts_generator_set_state(ts_generator generator, ts_tensor state) {
    TS_GUARDED({
        at::Generator target = generator_of(generator);
        std::lock_guard<std::mutex> lock(target.mutex());
        target.set_state(borrow(state));
    })
}
