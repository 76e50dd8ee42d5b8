use subquad_options::number::{brief, grouped, real, short};

#[test]
fn what_rounds_to_nothing_or_to_infinity_is_no_number() {
    for text in ["1e-400", "-1e-400", "0.1e-5000", "1e400", "-1E400", &format!("0.{}1", "0".repeat(400))] {
        assert!(real(text).is_err(), "{text}");
    }
    assert_eq!(real("1e-400").unwrap_err(), "1e-400, which is too small for 64 bits and would count as 0");
    assert_eq!(real("1e400").unwrap_err(), "1e400, which is too large for 64 bits and would be infinite");
}

#[test]
fn what_64_bits_hold_is_itself() {
    for (text, value) in
        [("0e400", 0.0), ("-0.0", -0.0), ("5e-324", 5e-324), ("1e308", 1e308), ("inf", f64::INFINITY)]
    {
        assert_eq!(real(text).map(f64::to_bits), Ok(value.to_bits()), "{text}");
    }
    assert!(real("nan").is_ok_and(f64::is_nan));
}

#[test]
fn long_texts_keep_their_ends() {
    assert_eq!(short("123"), "123");
    assert_eq!(short(&format!("1{}7", "0".repeat(400))), "100000000000..000000000007 (402 characters)");
}

#[test]
fn messages_hold_no_rows_of_zeros() {
    let texts = [0.0, 1.0, 86400.0, 0.001, 1e-12, 1e6, 1e300, -2.5e-300].map(brief);
    assert_eq!(texts, ["0", "1", "86400", "0.001", "1e-12", "1e6", "1e300", "-2.5e-300"]);
}

#[test]
fn digits_stand_in_threes() {
    assert_eq!([0, 12, 815_730_721, 1000].map(grouped), ["0", "12", "815,730,721", "1,000"]);
}
