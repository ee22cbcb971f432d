// Between world and pixels.

// The ray through a pixel coordinate, of unit length along the viewing direction.
fn ray(view: View, pixel: vec2<f32>) -> vec3<f32> {
    let x = (pixel.x - 0.5 * view.frame.y) / view.frame.x;
    let y = (0.5 * view.frame.z - pixel.y) / view.frame.x;
    return view.forward.xyz + x * view.right.xyz + y * view.up.xyz;
}

// Pixel coordinates and depth of a world point.
fn project(view: View, p: vec3<f32>) -> vec3<f32> {
    let d = p - view.position.xyz;
    let z = dot(d, view.forward.xyz);
    let s = view.frame.x / z;
    return vec3<f32>(0.5 * view.frame.y + dot(d, view.right.xyz) * s, 0.5 * view.frame.z - dot(d, view.up.xyz) * s, z);
}

// Takes a gradient in pixels to one of the world point.
fn project_adjoint(view: View, p: vec3<f32>, d_pixel: vec2<f32>) -> vec3<f32> {
    let d = p - view.position.xyz;
    let z = dot(d, view.forward.xyz);
    let s = view.frame.x / z;
    let right = view.right.xyz - view.forward.xyz * (dot(d, view.right.xyz) / z);
    let up = view.up.xyz - view.forward.xyz * (dot(d, view.up.xyz) / z);
    return s * (d_pixel.x * right - d_pixel.y * up);
}
