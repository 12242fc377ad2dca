//! Text that would act on a terminal or on the runner of a CI.

/// Clears the screen, names the window, begins a command of a runner, forges a verdict, turns the direction of text.
pub const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;x\u{7}\n::error::injected\nverdict    reproduced\u{202e}\u{9b}\r";

/// Fails where something that was printed could act.
#[track_caller]
pub fn harmless(said: &str, whose: &str) {
    let acts = |letter: char| {
        letter != '\n'
            && letter != '\t'
            && (letter.is_control() || "\u{202e}\u{2066}".contains(letter))
    };
    assert!(!said.contains(acts), "{whose}: {said:?}");
    for line in said.lines() {
        assert!(!line.trim_start().starts_with("::"), "{whose}: {said}");
    }
}

/// The text as a YAML scalar of a fixture.
#[must_use]
pub fn in_yaml() -> String {
    let text = serde_json::to_string(HOSTILE).expect("text is JSON");
    text.replace('\u{9b}', "\\u009b")
}
