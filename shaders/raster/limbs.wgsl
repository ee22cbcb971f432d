// Order-free sums in two limbs side by side; see common/fixed_point.wgsl. Needs `limbs`.

fn add_limb(value: u32, amount: i32) {
    if (amount == 0) {
        return;
    }
    let before = atomicAdd(&limbs[2u * value], bitcast<u32>(amount));
    let after = before + bitcast<u32>(amount);
    if (amount > 0 && after < before) {
        atomicAdd(&limbs[2u * value + 1u], 1u);
    } else if (amount < 0 && after > before) {
        atomicSub(&limbs[2u * value + 1u], 1u);
    }
}

// Adds a vector to the three values from `first`.
fn add_vector(first: u32, v: vec3<f32>) {
    let q = vec3<i32>(round(v));
    add_limb(first, q.x);
    add_limb(first + 1u, q.y);
    add_limb(first + 2u, q.z);
}
