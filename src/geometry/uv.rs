//! trial
#[cfg(test)]
mod tests {
    use crate::geometry::*;
    use glam::Vec3;
    use std::time::Instant;
    fn head_like(p: Vec3) -> f32 {
        let q = p / Vec3::new(0.75, 1.0, 0.9);
        let head = (q.length() - 0.35) * 0.75;
        let nose = (p - Vec3::new(0.0, -0.05, 0.33)).length() - 0.06;
        let ear = ((p - Vec3::new(0.27, 0.0, 0.0)).abs() - Vec3::new(0.04, 0.07, 0.02)).max(Vec3::ZERO).length() - 0.01;
        let ear2 = ((p - Vec3::new(-0.27, 0.0, 0.0)).abs() - Vec3::new(0.04, 0.07, 0.02)).max(Vec3::ZERO).length() - 0.01;
        let neck = (Vec3::new(p.x, 0.0, p.z).length() - 0.15).max(p.y).max(-0.6 - p.y);
        let hair = 0.01 * (p.x * 80.0).sin() * (p.z * 60.0).sin() * (p.y * 70.0).sin();
        head.min(nose).min(ear).min(ear2).min(neck) + if p.y > 0.1 { hair } else { 0.0 }
    }
    #[test]
    fn trial() {
        for n in [128, 160] {
        let t = Instant::now();
        let grid = ScalarGrid::from_fn(n, head_like).unwrap();
        println!("grid {:?}", t.elapsed());
        let t = Instant::now();
        let solid = cleanup::clean(&grid, &Default::default()).unwrap();
        println!("clean {:?}", t.elapsed());
        let t = Instant::now();
        let mut mesh = extract::march(&grid, &solid);
        println!("march {:?} {} {}", t.elapsed(), mesh.triangles.len(), topology::check(&mesh));
        let t = Instant::now();
        smooth::taubin(&mut mesh, 6);
        println!("taubin {:?}", t.elapsed());
        let t = Instant::now();
        let (mesh, report) = decimate::decimate(&mesh, 30000, 0.01).unwrap();
        println!("decimate {:?} {report:?}", t.elapsed());
        }
    }
}
