use super::{fixture, relative};
use crate::diffusion::NoiseSchedule;
use crate::diffusion::config::Config;
use candle_core::{Device, Tensor};
use serde_json::{Value, json};

fn schedule(config: &Value) -> NoiseSchedule {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scheduler_config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    NoiseSchedule::read(&Config::read(&path).unwrap()).unwrap()
}

fn recorded() -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("schedules.json")).unwrap()).unwrap()
}

#[test]
fn signal_shares_equal_the_reference() {
    for row in recorded()["schedules"].as_array().unwrap() {
        let ours = schedule(&row["config"]);
        let steps = row["timesteps"].as_array().unwrap();
        for (t, want) in steps.iter().zip(row["alphas_cumprod"].as_array().unwrap()) {
            let (got, want) = (ours.alpha_bar(t.as_f64().unwrap()), want.as_f64().unwrap());
            // The reference accumulates a thousand products in f32.
            assert!(
                (got - want).abs() < 2e-5 * want + 1e-7,
                "{} at {t}: {got} against {want}",
                row["config"]
            );
        }
        assert_eq!(ours.alpha_bar(-1.0), 1.0);
        assert_eq!(ours.alpha_bar(1e9), ours.alphas_cumprod()[ours.timesteps() - 1]);
        let between = ours.alpha_bar(0.5);
        assert!(between < ours.alpha_bar(0.0) && between > ours.alpha_bar(1.0));
    }
}

#[test]
fn steps_and_conversions_equal_the_reference() {
    for row in recorded()["ddim_steps"].as_array().unwrap() {
        let ours = schedule(&json!({
            "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
            "prediction_type": row["prediction_type"]
        }));
        let tensor = |name: &str| {
            let values: Vec<f32> = serde_json::from_value(row[name].clone()).unwrap();
            Tensor::from_vec(values, (1, 2, 2, 2), &Device::Cpu).unwrap()
        };
        let (t, previous) =
            ([row["timestep"].as_f64().unwrap()], [row["previous"].as_f64().unwrap()]);
        let (z, prediction) = (tensor("sample"), tensor("prediction"));
        let clean = ours.denoise(&prediction, &z, &t).unwrap();
        assert!(relative(&clean.x0, &tensor("x0")) < 1e-5);
        assert!(
            relative(&ours.ddim_step(&clean, &previous).unwrap(), &tensor("prev_sample")) < 1e-5
        );
        assert!(relative(&ours.add_noise(&z, &prediction, &t).unwrap(), &tensor("noisy")) < 1e-5);
        // Every form says the same thing.
        assert!(relative(&ours.add_noise(&clean.x0, &clean.eps, &t).unwrap(), &z) < 1e-5);
        assert!(relative(&ours.x0_from_eps(&clean.eps, &z, &t).unwrap(), &clean.x0) < 1e-4);
        assert!(relative(&ours.eps_from_x0(&clean.x0, &z, &t).unwrap(), &clean.eps) < 1e-4);
        let v = ours.velocity(&clean.x0, &clean.eps, &t).unwrap();
        if row["prediction_type"] == "v_prediction" {
            assert!(relative(&v, &prediction) < 1e-4);
        }
        // Timesteps per sample: the first is at 700, the second clean.
        let two = Tensor::cat(&[&z, &z], 0).unwrap();
        let noisy = ours
            .add_noise(&two, &Tensor::cat(&[&prediction, &prediction], 0).unwrap(), &[t[0], -1.0])
            .unwrap();
        assert!(relative(&noisy.narrow(0, 1, 1).unwrap(), &z) < 1e-6);
        assert!(relative(&noisy.narrow(0, 0, 1).unwrap(), &tensor("noisy")) < 1e-5);
    }
}
