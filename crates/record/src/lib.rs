//! Run folders of subquad: manifest, metrics, summary, reading back.
