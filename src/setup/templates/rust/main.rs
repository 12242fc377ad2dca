fn main() -> std::process::ExitCode {
    replay::app().cli()
}
