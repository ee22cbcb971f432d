// Activations that stay accurate where the textbook formulas cancel or overflow.

// ln(1 + t) for t in [0, 1], by the series of 2 atanh(t / (2 + t)); relative error below 1e-6.
fn log_one_plus(t: f32) -> f32 {
    let s = t / (2.0 + t);
    let q = s * s;
    return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q / 11.0)))));
}

fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log_one_plus(exp(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
    let t = exp(-abs(x));
    return select(t, 1.0, x >= 0.0) / (1.0 + t);
}

fn sigmoid3(x: vec3<f32>) -> vec3<f32> {
    let t = exp(-abs(x));
    return select(t, vec3<f32>(1.0), x >= vec3<f32>(0.0)) / (1.0 + t);
}

// The exponential form loses all digits near zero, where a fresh network lives.
fn tanh4(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let e = exp(-2.0 * a);
    let far = (1.0 - e) / (1.0 + e);
    let q = a * a;
    let near = a * (1.0 + q * (-1.0 / 3.0 + q * (2.0 / 15.0 - q * (17.0 / 315.0))));
    return sign(x) * select(far, near, a < vec4<f32>(0.25));
}

// 1 - exp(-x) for x >= 0.
fn absorbed(x: f32) -> f32 {
    return select(1.0 - exp(-x), x * (1.0 - 0.5 * x * (1.0 - x / 3.0)), x < 0.01);
}
