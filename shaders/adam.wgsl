// One Adam step (Kingma and Ba) over a range of a parameter buffer.

struct Settings {
    first: u32,
    count: u32,
    // Rates repeat with this period along the parameters: one rate a feature channel.
    period: u32,
    reserved: u32,
    rates: vec4<f32>,
    // So do what is added to the root of the second moment.
    epsilons: vec4<f32>,
    beta1: f32,
    beta2: f32,
    // 1 / (1 - beta^t) for both moments.
    unbias1: f32,
    unbias2: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;

@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let k = id.x + id.y * groups.x * 64u;
    if (k >= settings.count) {
        return;
    }
    let i = settings.first + k;
    let g = gradient[i];
    let v0 = variance[i];
    let m0 = mean[i];
    // A parameter that never had a gradient does not move: skipping it is exact.
    if (g == 0.0 && m0 == 0.0) {
        if (v0 != 0.0) {
            variance[i] = settings.beta2 * v0;
        }
        return;
    }
    let m = m0 + (1.0 - settings.beta1) * (g - m0);
    let v = v0 + (1.0 - settings.beta2) * (g * g - v0);
    mean[i] = m;
    variance[i] = v;
    let channel = k % settings.period;
    let root = sqrt(v * settings.unbias2) + settings.epsilons[channel];
    parameters[i] -= settings.rates[channel] * m * settings.unbias1 / root;
}
