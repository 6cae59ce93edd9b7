// The update rules are PyTorch's single-tensor ones, operator for operator, so that weights agree bit for bit.
#include "handles.h"
#include <c10/core/GradMode.h>
#include <cmath>
#include <numeric>

namespace {

// A parameter's gradient with the sign of the objective and the coupled weight decay applied.
at::Tensor descent_direction(const at::Tensor& parameter, double weight_decay, bool maximize) {
    at::Tensor gradient = parameter.grad();
    if (maximize) {
        gradient = gradient.neg();
    }
    if (weight_decay != 0) {
        gradient = gradient.add(parameter, weight_decay);
    }
    return gradient;
}

// The norm over all dimensions, named one by one as PyTorch's Python does: the other overload rounds differently.
at::Tensor norm_of(const at::Tensor& tensor, double norm_type) {
    if (std::isinf(norm_type)) {
        return tensor.abs().max();
    }
    std::vector<int64_t> dims(tensor.dim());
    std::iota(dims.begin(), dims.end(), 0);
    return tensor.norm(norm_type, dims, false);
}

} // namespace

ts_status ts_zero_grads(const ts_tensor* parameters, int32_t count, int32_t set_to_none) {
    TS_GUARDED({
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            at::Tensor& gradient = borrow(parameters[i]).mutable_grad();
            if (!gradient.defined()) {
                continue;
            }
            if (set_to_none != 0) {
                gradient = at::Tensor();
            } else {
                gradient.detach_();
                gradient.zero_();
            }
        }
    })
}

ts_status ts_clip_grad_norm(const ts_tensor* parameters, int32_t count, double max_norm, double norm_type, double* total_norm) {
    TS_GUARDED({
        c10::NoGradGuard no_grad;
        *total_norm = 0;
        std::vector<at::Tensor> gradients;
        std::vector<at::Tensor> norms;
        for (int32_t i = 0; i < count; i++) {
            const at::Tensor& gradient = borrow(parameters[i]).grad();
            if (gradient.defined()) {
                gradients.push_back(gradient);
                norms.push_back(norm_of(gradient, norm_type));
            }
        }
        if (gradients.empty()) {
            return TS_OK;
        }
        at::Tensor total = norm_of(at::stack(norms), norm_type);
        *total_norm = total.item().toDouble();
        at::Tensor scale = (max_norm / (total + 1e-6)).clamp_max(1.0);
        for (at::Tensor& gradient : gradients) {
            gradient.mul_(scale);
        }
    })
}

ts_status ts_clip_grad_value(const ts_tensor* parameters, int32_t count, double limit) {
    TS_GUARDED({
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            const at::Tensor& gradient = borrow(parameters[i]).grad();
            if (gradient.defined()) {
                gradient.clamp_(-limit, limit);
            }
        }
    })
}

ts_status ts_sgd_step(const ts_tensor* parameters, ts_tensor* buffers, int32_t count, double learning_rate, double momentum,
                      double dampening, double weight_decay, int32_t nesterov, int32_t maximize) {
    TS_GUARDED({
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            const at::Tensor& parameter = borrow(parameters[i]);
            if (!parameter.grad().defined()) {
                continue;
            }
            at::Tensor gradient = descent_direction(parameter, weight_decay, maximize != 0);
            if (momentum != 0) {
                if (buffers[i] == nullptr) {
                    buffers[i] = give(gradient.detach().clone());
                } else {
                    borrow(buffers[i]).mul_(momentum).add_(gradient, 1 - dampening);
                }
                const at::Tensor& buffer = borrow(buffers[i]);
                gradient = nesterov != 0 ? gradient.add(buffer, momentum) : buffer;
            }
            parameter.add_(gradient, -learning_rate);
        }
    })
}

ts_status ts_adam_step(const ts_tensor* parameters, const ts_tensor* means, const ts_tensor* squares, const ts_tensor* maxima,
                       int64_t* steps, int32_t count, double learning_rate, double beta1, double beta2, double eps,
                       double weight_decay, int32_t decoupled, int32_t maximize) {
    TS_GUARDED({
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            const at::Tensor& parameter = borrow(parameters[i]);
            if (!parameter.grad().defined()) {
                continue;
            }
            at::Tensor gradient = descent_direction(parameter, decoupled != 0 ? 0 : weight_decay, maximize != 0);
            if (decoupled != 0) {
                parameter.mul_(1 - learning_rate * weight_decay);
            }
            steps[i]++;
            double correction1 = 1 - std::pow(beta1, static_cast<double>(steps[i]));
            double correction2 = 1 - std::pow(beta2, static_cast<double>(steps[i]));
            const at::Tensor& mean = borrow(means[i]);
            const at::Tensor& square = borrow(squares[i]);
            mean.mul_(beta1).add_(gradient, 1 - beta1);
            square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
            at::Tensor second = square;
            if (maxima != nullptr) {
                second = borrow(maxima[i]);
                at::maximum_out(second, second, square);
            }
            at::Tensor scale = second.sqrt().div_(std::sqrt(correction2)).add_(eps);
            parameter.addcdiv_(mean, scale, -learning_rate / correction1);
        }
    })
}
