//! The key of pseudonyms: what is one, who gets it, and that nobody is shown it.

use super::{KEY, RULES, production, project};
use crate::support::ROOT;
use insta::assert_snapshot;

#[test]
fn a_key_that_could_be_guessed_is_refused() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    for key in [
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "0123456701234567012345670123456701234567",
        "passwordpassword",
        "changeme-changeme-changeme-",
        "12345678901234567890",
        "1122334411223344",
    ] {
        let ran = project.run_as(
            &["capture", ROOT, "--history"],
            "",
            &[("REDACTION_KEY", key)],
        );
        assert_eq!(ran.code, 2, "{key}\n{}", ran.err);
        assert!(!ran.err.contains(key), "{}", ran.err);
    }
    for key in [KEY, "0123456789abcdef0123456789abcdef", "f3a91c0be7d2486a"] {
        let arguments = ["capture", ROOT, "--history", "--dry-run"];
        let ran = project.run_as(&arguments, "", &[("REDACTION_KEY", key)]);
        assert_eq!(ran.code, 0, "{key}\n{}", ran.err);
    }
    let lines = project.transcript().lines();
    let errors: Vec<&str> = lines.filter(|line| line.starts_with('!')).collect();
    assert_snapshot!("redaction_weak_keys", errors.join("\n"));
}

#[test]
fn a_key_that_stands_in_the_configuration_by_mistake_is_not_shown() {
    const SECRET: &str = "f3a91c0be7d2486af3a91c0be7d2486b";
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let toml = project.read("replay.toml");
    for line in [
        format!("key_env = \"{SECRET}\""),
        format!("key_env = \"x-{SECRET}\""),
        format!("key_env = [\"{SECRET}\"]"),
        format!("key_env = \"{SECRET}"),
        format!("key_file = \"{SECRET}\""),
        format!("key_file = [\"{SECRET}\"]"),
        format!("key = \"{SECRET}\""),
        format!("secret = \"{SECRET}\""),
        format!("required = \"{SECRET}\""),
        SECRET.to_owned(),
    ] {
        project.write(
            "replay.toml",
            &toml.replacen("key_env = \"REDACTION_KEY\"", &line, 1),
        );
        let ran = project.run(&["capture", ROOT, "--history"]);
        assert_eq!(ran.code, 2, "{line}");
        assert!(!(ran.out + &ran.err).contains(SECRET), "{line}");
    }
    project.write("replay.toml", &toml);
    for name in ["KEY", "KEY_ENV", "KEY_FILE", "REQUIRED"] {
        let variable = format!("ANGZARR_REPLAY__REDACTION__{name}");
        let ran = project.run_as(&["capture", ROOT, "--history"], "", &[(&variable, SECRET)]);
        assert_eq!(ran.code, 2, "{name}");
        assert!(!ran.err.contains(SECRET), "{}", ran.err);
    }
}

/// A process that prints its environment, or leaves it in a log, would show it.
#[cfg(unix)]
#[test]
fn nothing_that_is_started_gets_the_key() {
    let server = production(Vec::new());
    let mut project = project(&server, RULES);
    let noting = |file: &str, then: &str| {
        format!("[\"sh\", \"-c\", \"printf %s ${{REDACTION_KEY-none}} > {file}; {then}\"]")
    };
    let toml = project.read("replay.toml");
    let source = format!(
        "[sources.production]\nplaintext_credentials = true\nbearer = {{ command = {} }}\n\
         metadata = {{ x-more = {{ command = {} }} }}\n",
        noting("bearer", "echo token"),
        noting("metadata", "echo token"),
    );
    let logic = format!(
        "[logic.player]\nbuild = {}\ncommand = {}\n[sources.far]\naddress = \"127.0.0.1:{{port}}\"\ndomains = [\"player\"]\nconnect = {}\n",
        noting("build", "true"),
        noting("logic", "exit 3"),
        noting("connect", "exit 3 # {port}"),
    );
    project.write(
        "replay.toml",
        &(toml.replacen("[sources.production]\n", &source, 1) + &logic),
    );
    let key = [("REDACTION_KEY", KEY)];
    let ran = project.run_as(&["capture", ROOT, "--history"], "", &key);
    assert!(ran.code < 2, "{}", ran.err);
    let ran = project.run_as(&["roots", "--source", "far"], "", &key);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for file in ["bearer", "metadata", "build", "logic", "connect"] {
        assert_eq!(project.read(file), "none", "{file}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_write_is_refused_and_one_that_they_may_read_is_told_of() {
    let server = production(Vec::new());
    let rules = RULES.replace("key_env = \"REDACTION_KEY\"", "key_file = \"key\"");
    let mut project = project(&server, &rules);
    project.write_key(KEY);
    let capture = ["capture", ROOT, "--history", "--dry-run"];
    for (mode, code, told) in [
        (0o600, 0, ""),
        (0o400, 0, ""),
        (
            0o644,
            0,
            "warning: others than its owner may read key (mode 644)",
        ),
        (
            0o440,
            0,
            "warning: others than its owner may read key (mode 440)",
        ),
        (0o620, 2, "others than its owner may write key (mode 620)"),
        (0o666, 2, "others than its owner may write key (mode 666)"),
    ] {
        project.set_mode("key", mode);
        let ran = project.run(&capture);
        assert_eq!(ran.code, code, "{mode:o}\n{}", ran.err);
        assert!(
            ran.err.contains(told) && (!told.is_empty() || ran.err.is_empty()),
            "{mode:o}\n{}",
            ran.err
        );
    }
}
