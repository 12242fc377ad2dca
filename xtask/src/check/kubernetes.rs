//! The Kubernetes manifests of the documentation, compared with the API's published schemas, and as unprivileged as they claim.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::shell::{Shell, run};

const FOLDER: &str = "docs/kubernetes";
/// From `PyPI`; it brings the schemas. Its findings depend on its version.
const PACKAGE: &str = "kubernetes-validate==1.37.0";
const TOOL: &str = "target/tools/kubernetes-validate";
const INTERPRETER: &str = "target/tools/kubernetes-validate/bin/python";
/// A copy of the installed package's name and version, to install only if they changed.
const STAMP: &str = "target/tools/kubernetes-validate/installed";
/// Files that only kustomize reads.
const NOT_OF_THE_API: &str = "kustomization.yaml";

/// Validates each file, and demands what every container must have. Prints one line for each finding.
const SCRIPT: &str = r#"import sys, yaml, kubernetes_validate

DEMANDED = {"runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
found = 0
for file in sys.argv[1:]:
    for manifest in yaml.safe_load_all(open(file)):
        try:
            kubernetes_validate.validate(manifest, "1.37", strict=True)
        except Exception as error:
            found += 1
            print(f"{file}: {str(error).splitlines()[0]}")
        pod = manifest["spec"]["template"]["spec"]
        for container in pod.get("initContainers", []) + pod["containers"]:
            context = pod.get("securityContext", {}) | container.get("securityContext", {})
            for key, value in DEMANDED.items():
                if context.get(key) != value:
                    found += 1
                    print(f"{file}: {container['name']}: securityContext.{key} is {context.get(key)}, not {value}")
sys.exit(1 if found else 0)
"#;

/// A manifest with two mistakes. The validator must find both, or it checks nothing.
const BROKEN: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: broken}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: broken
          image: broken
          volumeMount: []
";
const MISTAKES: [&str; 2] = ["volumeMount", "runAsNonRoot"];

/// Checks every manifest.
pub(super) fn validate(shell: &Shell) -> Result<()> {
    install(shell)?;
    find_mistakes(shell)?;
    let files = manifests(shell)?;
    ensure!(!files.is_empty(), "{FOLDER}: no manifests found");
    run(validator(shell).args(&files)).context("the manifests have mistakes")?;
    println!("   {} manifests", files.len());
    Ok(())
}

fn install(shell: &Shell) -> Result<()> {
    if std::fs::read_to_string(shell.at(STAMP)).is_ok_and(|it| it == PACKAGE) {
        return Ok(());
    }
    println!("   installing {PACKAGE} below target/tools");
    run(shell
        .program("python3")
        .args(["-m", "venv", "--clear", TOOL]))
    .context("the validator needs Python 3.10 or newer with the module venv")?;
    run(shell.program(shell.at(INTERPRETER)).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        PACKAGE,
    ]))
    .with_context(|| format!("{PACKAGE} cannot be installed (is there a network?)"))?;
    std::fs::write(shell.at(STAMP), PACKAGE).with_context(|| format!("cannot write {STAMP}"))
}

fn find_mistakes(shell: &Shell) -> Result<()> {
    let broken = shell.at(TOOL).join("broken.yaml");
    std::fs::write(&broken, BROKEN).with_context(|| broken.display().to_string())?;
    let output = validator(shell).arg(&broken).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_found = MISTAKES.iter().all(|mistake| said.contains(mistake));
    ensure!(
        !output.status.success() && is_found,
        "kubernetes-validate does not find known mistakes; it printed:\n{said}"
    );
    Ok(())
}

fn validator(shell: &Shell) -> std::process::Command {
    let mut validator = shell.program(shell.at(INTERPRETER));
    validator.args(["-c", SCRIPT]);
    validator
}

/// The manifests below the folder, sorted.
fn manifests(shell: &Shell) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let folder = shell.at(FOLDER);
    for example in std::fs::read_dir(&folder).with_context(|| FOLDER.to_owned())? {
        let example = example?.path();
        if !example.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&example)? {
            let file = file?.path();
            let is_yaml = file.extension().is_some_and(|it| it == "yaml");
            let name = file.file_name().unwrap_or_default();
            if is_yaml && name != NOT_OF_THE_API {
                files.push(file);
            }
        }
    }
    files.sort();
    Ok(files)
}
