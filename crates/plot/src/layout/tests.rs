use super::*;
use crate::scene::{Label, Mark};
use crate::{Axis, Panel, Point, study};

/// Left, top, right, bottom.
fn text_box(label: &Label) -> [f64; 4] {
    let ((x, y), wide) = (label.at, width(&label.text, label.size));
    let shift = match label.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => wide / 2.0,
        Anchor::End => wide,
    };
    let (up, down) = (label.size * CAP_HEIGHT, label.size * 0.2);
    if label.turned {
        [x - up, y + shift - wide, x + down, y + shift]
    } else {
        [x - shift, y - up, x - shift + wide, y + down]
    }
}

fn crowded(name: &str, panels: usize) -> Figure {
    let labels = ["attention", "s4d", "m2", "s4", "hyena", "monarch", "causal_monarch", "a longer name"];
    // Steeper curves start lower, so that all cross the first one.
    let y = |k: f64, i: i32| 1234.5 * k * f64::from(i).powf((9.0 - k) / 4.0);
    let points = |k: f64| (1..9).map(|i| Point::new(f64::from(1 << i) * 8.0, y(k, i))).collect();
    let lines: Vec<Line> = labels.iter().zip(1..).map(|(l, k)| Line::new(*l, points(f64::from(k)))).collect();
    let panels = (0..panels).map(|i| Panel { title: format!("length {}", 64 << i), lines: lines.clone() });
    let caption = vec!["Mean over n = 2 seeds, a sentence that goes on and on. ".repeat(5); 2];
    study::by_name(name, panels.collect(), caption).unwrap()
}

#[test]
fn no_two_texts_touch_and_none_leaves_the_page() {
    for (name, panels) in study::names().iter().flat_map(|name| (1..9).map(move |n| (name, n))) {
        let scene = scene(&crowded(name, panels)).unwrap();
        let texts = scene.marks.iter().filter_map(|mark| match mark {
            Mark::Text(label) => Some((&label.text, text_box(label))),
            Mark::Polygon { .. } | Mark::Polyline { .. } => None,
        });
        let texts: Vec<_> = texts.collect();
        for (i, (text, a)) in texts.iter().enumerate() {
            let inside =
                a[0] >= 4.0 && a[1] >= 4.0 && a[2] <= scene.width - 4.0 && a[3] <= scene.height - 4.0;
            assert!(inside, "{name}, {panels} panels: `{text}` at {a:?}");
            for (other, b) in &texts[..i] {
                let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                assert!(apart, "{name}, {panels} panels: `{text}` {a:?} on `{other}` {b:?}");
            }
        }
    }
}

#[test]
fn lone_points_at_one_length_stand_apart() {
    let line = |label: &str| Line::new(label, vec![Point { x: 64.0, y: 0.5, low: 0.4, high: 0.6 }]);
    let panels = vec![Panel { title: String::new(), lines: vec![line("attention"), line("s4d")] }];
    let (x, y) = (Axis::log2("x"), Axis::linear("y"));
    let figure = Figure { name: "n".into(), title: "t".into(), caption: vec![], x, y, panels, scaling: None };
    let scene = scene(&figure).unwrap();
    let markers = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Polygon { points, ink } if *ink != Ink::WHITE => Some(points[0].0),
        Mark::Polygon { .. } | Mark::Polyline { .. } | Mark::Text(_) => None,
    });
    let in_panel: Vec<f64> = markers.skip(2).collect();
    assert!(in_panel.len() == 2 && (in_panel[0] - in_panel[1]).abs() > 8.0, "{in_panel:?}");
}
