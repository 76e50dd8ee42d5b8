//! The structure of a model: which of its keys go together, and with which task.

use super::{SMALL, Typed, flag_errors, load_with};

#[test]
fn positions_reach_the_longest_sequence_or_are_refused() {
    let positions = |value: &str| {
        let flag = format!("model.positions={value}");
        load_with(SMALL, &[&flag]).unwrap().runs[0].config().model.structure.positions
    };
    assert_eq!([positions("longest"), positions("0"), positions("65")], [Some(64), None, Some(65)]);
    assert_eq!(
        flag_errors(&["model.positions=63"]),
        "--set model.positions=63: 63 learned positions are too few for the longest sequence, 64 tokens; raise them or use \
         \"longest\""
    );
}

#[test]
fn a_head_is_tied_for_just_the_tasks_that_read_and_answer_the_same_tokens() {
    let tied = |task: &str| {
        load_with(SMALL, &[&format!("task.name={task}"), "model.tied_head=true", "sweep.seq_len=[784]"])
    };
    for task in ["mqar", "bytes", "masked_bytes"] {
        assert!(tied(task).is_ok(), "{task}");
    }
    for task in ["digits", "mnist", "delay", "reconstruct", "parity"] {
        assert_eq!(
            tied(task).unwrap_err().to_string(),
            format!(
                "--set model.tied_head=true: task {task} does not answer with the tokens that it reads, so tied_head = true \
                 has no table to share; set it to false"
            )
        );
    }
}

#[test]
fn what_norms_do_is_refused_where_there_are_none() {
    let refused = |flag: &str| {
        let set = flag.strip_prefix("model.").unwrap().replace('=', " = ");
        let message = flag_errors(&["model.norm=none", flag]);
        assert!(message.contains(&format!(": {set} does nothing")), "{message}");
        assert!(load_with(SMALL, &[flag]).is_ok());
        message
    };
    assert_eq!(
        refused("model.embedding_norm=true"),
        "--set model.embedding_norm=true: embedding_norm = true does nothing with norm = \"none\"; leave it at false"
    );
    refused("model.last_norm=false");
    refused("model.norm_eps=0.5");
    refused("model.block=\"post_norm\"");
    let transform = ["model.norm=none", "model.norm_eps=0.5", "model.head_transform=true"];
    assert!(load_with(SMALL, &transform).is_ok(), "the transform has a norm of its own");
    assert!(load_with(SMALL, &["model.norm=none", "model.block=m2_bert"]).is_ok(), "it leaves a skip out");
}

#[test]
fn a_last_norm_is_left_out_only_where_blocks_do_not_end_with_one() {
    assert!(
        !load_with(SMALL, &["model.last_norm=false"]).unwrap().runs[0].config().model.structure.last_norm
    );
    for block in ["post_norm", "m2_bert"] {
        assert_eq!(
            flag_errors(&[&format!("model.block={block}"), "model.last_norm=false"]),
            format!(
                "--set model.last_norm=false: last_norm = false does nothing with block = \"{block}\", whose blocks \
                 end with norms; leave it at true"
            )
        );
    }
}
