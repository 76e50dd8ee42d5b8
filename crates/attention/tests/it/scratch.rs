use crate::*;
use burn::tensor::*;
use std::time::Instant;
use subquad_attention::*;
use subquad_mixer::SequenceMixer;
fn best(mut f: impl FnMut()) -> f64 {
    f();
    let mut t: Vec<f64> = (0..15)
        .map(|_| {
            let s = Instant::now();
            f();
            s.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    t.sort_by(f64::total_cmp);
    t[0]
}
#[test]
fn speed() {
    for shape in [[32, 4, 256, 16], [4, 4, 1024, 32]] {
        let x = |dev: &Device| Tensor::<4>::random(shape, Distribution::Default, dev);
        for form in [subquad_backend::Form::Fused] {
            let ad = autodiff_device();
            let [q, k, v] = [0; 3].map(|_| x(&ad).require_grad());
            let [pq, pk, pv] = [0; 3].map(|_| x(&device()));
            let fwd = best(|| {
                scaled_dot_product(pq.clone(), pk.clone(), pv.clone(), true, form);
            });
            let both = best(|| {
                let l = scaled_dot_product(q.clone(), k.clone(), v.clone(), true, form).sum();
                let _ = q.grad(&l.backward());
            });
            let d = shape[1] * shape[3];
            let layer = AttentionConfig::new(d).with_n_heads(shape[1]).init(&ad).with_form(form);
            let none = AttentionConfig::new(d)
                .with_n_heads(shape[1])
                .with_position(Position::None)
                .init(&ad)
                .with_form(form);
            let xx = Tensor::<3>::random([shape[0], shape[2], d], Distribution::Default, &ad).require_grad();
            let lay = best(|| {
                let _ = xx.grad(&layer.forward(xx.clone()).sum().backward());
            });
            let lnone = best(|| {
                let _ = xx.grad(&none.forward(xx.clone()).sum().backward());
            });
            let rot = Rotary::new(0, shape[2], shape[3], 1e4);
            let r = best(|| {
                let _ = q.grad(&rot.apply(q.clone(), form).sum().backward());
            });
            println!(
                "{shape:?} {form:?} op fwd {fwd:.2} ms fwd+bwd {both:.2} ms; layer rope {lay:.2} none {lnone:.2}; rope alone {r:.2}"
            );
        }
    }
    let layer = AttentionConfig::new(64).init(&device());
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let x = Tensor::<3>::random([1, 1000, 64], Distribution::Default, &device());
        let (_, mut s) = layer.forward_with_state(x, layer.init_state(1).unwrap()).unwrap();
        let t = Instant::now();
        for _ in 0..200 {
            layer.step(Tensor::zeros([1, 64], &device()), &mut s).unwrap();
        }
        println!("step at 1000..1200 {form:?}: {:.3} ms", t.elapsed().as_secs_f64() * 1e3 / 200.0);
    }
}
#[test]
fn errors() {
    use subquad_testkit::*;
    let (l, d) = (1000, 5);
    let [q, k, v] = [1, 2, 3].map(|s| seeded_tensor::<4>([1, 1, l, d], s, &device()) * 3.0);
    for form in FORMS {
        let e = reference::head(&to_f64(q.clone()), &to_f64(k.clone()), &to_f64(v.clone()), d, true);
        println!(
            "{form:?} value err {:.2e}",
            rel_error(&to_f64(scaled_dot_product(q.clone(), k.clone(), v.clone(), true, form)), &e)
        );
    }
    let w = seeded_tensor::<4>([1, 1, l, d], 9, &device());
    let g = FORMS.map(|form| {
        let i = [&q, &k, &v].map(|t| Tensor::<4>::from_data(t.to_data(), &autodiff_device()).require_grad());
        let gr = (scaled_dot_product(i[0].clone(), i[1].clone(), i[2].clone(), true, form) * w.clone())
            .sum()
            .backward();
        i.map(|t| to_f64(t.grad(&gr).unwrap()))
    });
    for n in 0..3 {
        println!("grad diff {:.2e}", rel_error(&g[0][n], &g[1][n]));
    }
}
