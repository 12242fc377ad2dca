//! Plans editor settings: the schemas of fixtures and of replay.toml, and configurations that attach the debugger to logic under `--debug`.

use serde_json::{Value, json};

use super::{ExistingFiles, Language, Plan, PublishedSchema};

/// Debugger port in launch configurations and in the matching `[logic.NAME.debug]`.
const DEBUG_PORT: u16 = 5678;

/// A supported editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Editor {
    /// Visual Studio Code, and editors with the same settings files.
    Vscode,
}

pub(super) fn plan(
    plan: &mut Plan,
    existing: &ExistingFiles<'_>,
    editor: Editor,
    language: Language,
    domain: &str,
) {
    let Editor::Vscode = editor;
    for schema in [PublishedSchema::Fixture, PublishedSchema::Config] {
        plan.create(existing, &schema_file(schema), schema.text());
    }
    if existing.has("replay.toml") {
        plan.notes.push(format!(
            "for completion in replay.toml, make this its first line:\n{}",
            configuration_schema(editor)
        ));
    }
    let fixture = format!("./{}", schema_file(PublishedSchema::Fixture));
    let schemas = json!({"yaml.schemas": {fixture: "fixtures/**/*.yaml"}});
    let launch = launch(language);
    for (file, content) in [
        (".vscode/settings.json", schemas),
        (".vscode/launch.json", launch),
    ] {
        let text = format!("{content:#}\n");
        if existing.has(file) {
            // The file may have comments, which writing JSON would lose.
            plan.notes.push(format!(
                "{file} is there and stays as it is; add by hand:\n{text}"
            ));
        } else {
            plan.create(existing, file, text);
        }
    }
    plan.notes.push(format!(
        "for `replay --debug` with a fixed port, put into replay.local.toml:\n{}",
        debug_table(language, domain)
    ));
}

/// Where the schema is, from the project's folder.
fn schema_file(schema: PublishedSchema) -> String {
    format!(".vscode/{}", schema.file_name())
}

/// The first line of replay.toml, which names its schema. Settings of the editor could only name it by an absolute path.
pub(super) fn configuration_schema(editor: Editor) -> String {
    let Editor::Vscode = editor;
    format!("#:schema ./{}\n", schema_file(PublishedSchema::Config))
}

fn launch(language: Language) -> Value {
    let name = "angzarr-replay: attach to logic";
    let configuration = match language {
        Language::Python => json!({
            "name": name, "type": "debugpy", "request": "attach",
            "connect": {"host": "127.0.0.1", "port": DEBUG_PORT}, "justMyCode": false,
        }),
        Language::Go => json!({
            "name": name, "type": "go", "request": "attach", "mode": "remote",
            "host": "127.0.0.1", "port": DEBUG_PORT,
        }),
        Language::Java => json!({
            "name": name, "type": "java", "request": "attach",
            "hostName": "127.0.0.1", "port": DEBUG_PORT,
        }),
        Language::JavaScript => json!({
            "name": name, "type": "node", "request": "attach",
            "address": "127.0.0.1", "port": DEBUG_PORT,
        }),
        Language::CSharp => json!({
            "name": name, "type": "coreclr", "request": "attach", "processId": "${command:pickProcess}",
        }),
        Language::Rust | Language::Unknown => json!({
            "name": name, "type": "lldb", "request": "attach", "pid": "${command:pickMyProcess}",
        }),
    };
    json!({"version": "0.2.0", "configurations": [configuration]})
}

fn debug_table(language: Language, domain: &str) -> String {
    let command = match language {
        Language::Python => format!(
            "command = [\".venv/bin/python\", \"-Xfrozen_modules=off\", \"-m\", \"debugpy\", \"--listen\", \"127.0.0.1:{DEBUG_PORT}\", \
             \"--wait-for-client\", \"{domain}.py\"]"
        ),
        Language::Go => format!(
            "command = [\"dlv\", \"exec\", \"--headless\", \"--listen\", \"127.0.0.1:{DEBUG_PORT}\", \"--accept-multiclient\", \"bin/{domain}\"]"
        ),
        Language::Java => format!(
            "command = [\"java\", \"-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:{DEBUG_PORT}\", \"-jar\", \
             \"build/libs/{domain}.jar\"]"
        ),
        Language::JavaScript => {
            format!(
                "command = [\"node\", \"--inspect-brk=127.0.0.1:{DEBUG_PORT}\", \"dist/{domain}.js\"]"
            )
        }
        Language::CSharp | Language::Rust | Language::Unknown => {
            "command = [\"…\"]   # the program itself; attach by process".to_owned()
        }
    };
    format!(
        "  [logic.{domain}.debug]\n  {command}\n  attach = \"start the launch configuration `angzarr-replay: attach to logic`\""
    )
}
