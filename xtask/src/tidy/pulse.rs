//! How long files and functions are. The formatter's layout is trusted: a function ends at the
//! first closing brace that stands as deep as its `fn`.

use crate::family;
use crate::step::Failure;
use std::cmp::Reverse;
use std::fmt;
use std::path::PathBuf;

/// Code lines (neither blank nor comment) at which a file must be split.
const LONGEST_FILE: usize = 800;
/// Code lines at which a file gets a second look.
const LONG_FILE: usize = 400;
/// Code lines in the body at which a function must be split; clippy's `too_many_lines` agrees.
const LONGEST_FUNCTION: usize = 100;
/// Code lines at which a function gets a second look.
const LONG_FUNCTION: usize = 60;

/// The lengths of everything.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    files: Vec<Length>,
    functions: Vec<Length>,
}

#[derive(Debug)]
struct Length {
    lines: usize,
    place: String,
}

impl Pulse {
    pub(super) fn take(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut pulse = Self::default();
        for path in paths {
            pulse.add(&family::relative(path), &family::read(path)?);
        }
        pulse.files.sort_by_key(|file| Reverse(file.lines));
        pulse
            .functions
            .sort_by_key(|function| Reverse(function.lines));
        Ok(pulse)
    }

    fn add(&mut self, name: &str, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        // The unit tests of a file stand at its end and are not counted.
        let code = lines
            .iter()
            .position(|line| *line == "#[cfg(test)]")
            .unwrap_or(lines.len());
        let length = lines[..code].iter().filter(|line| is_code(line)).count();
        self.files.push(Length {
            lines: length,
            place: name.to_owned(),
        });
        for (number, line) in lines.iter().enumerate() {
            if let Some(body) = body(&lines[number..], line) {
                self.functions.push(Length {
                    lines: body.iter().filter(|line| is_code(line)).count(),
                    place: format!("{name}:{}", number + 1),
                });
            }
        }
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let files = self.files.iter().filter(|file| file.lines > LONGEST_FILE);
        let functions = self.functions.iter();
        let functions = functions.filter(|function| function.lines > LONGEST_FUNCTION);
        files
            .map(|file| format!("{}: {} code lines, split it", file.place, file.lines))
            .chain(functions.map(|function| {
                format!(
                    "{}: a function of {} lines, split it",
                    function.place, function.lines
                )
            }))
            .collect()
    }
}

impl fmt::Display for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: usize = self.files.iter().map(|file| file.lines).sum();
        let median = |lengths: &[Length]| lengths.get(lengths.len() / 2).map_or(0, |l| l.lines);
        writeln!(
            f,
            "   {} files, {lines} code lines, median {}; {} functions, median {} lines",
            self.files.len(),
            median(&self.files),
            self.functions.len(),
            median(&self.functions),
        )?;
        let second_look = |lengths: &[Length], bound: usize| -> Vec<String> {
            let long = lengths.iter().take_while(|length| length.lines > bound);
            long.map(|length| format!("\n     {:>4} {}", length.lines, length.place))
                .collect()
        };
        let files = second_look(&self.files, LONG_FILE).concat();
        let functions = second_look(&self.functions, LONG_FUNCTION).concat();
        write!(f, "   files over {LONG_FILE}: {}", none_or(&files))?;
        write!(
            f,
            "\n   functions over {LONG_FUNCTION}: {}",
            none_or(&functions)
        )
    }
}

fn none_or(list: &str) -> &str {
    if list.is_empty() { "none" } else { list }
}

fn is_code(line: &&str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

/// The lines between the braces of the function that begins at `line`, the first of `rest`.
fn body<'a, 'b>(rest: &'a [&'b str], line: &str) -> Option<&'a [&'b str]> {
    let declaration = line.trim_start();
    let depth = line.len() - declaration.len();
    if !is_function(declaration) || line.ends_with('}') {
        return None;
    }
    // A declaration that comes to a semicolon first has no body.
    let opens = rest.iter().position(|line| line.ends_with(['{', ';']))?;
    if rest[opens].ends_with(';') {
        return None;
    }
    let closes = rest
        .iter()
        .position(|line| line.len() == depth + 1 && line.ends_with('}'))?;
    rest.get(opens + 1..closes)
}

fn is_function(declaration: &str) -> bool {
    let mut words = declaration.split(' ');
    words.by_ref().take(5).any(|word| word == "fn")
        && !declaration.starts_with("//")
        && declaration.contains('(')
        && [
            "fn",
            "pub",
            "pub(crate)",
            "pub(super)",
            "async",
            "const",
            "unsafe",
            "extern",
        ]
        .contains(&declaration.split(' ').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn one() {
    let a = 1;

    // a remark
    let b = 2;
}

trait T {
    fn without(&self);
    fn spread(
        &self,
        a: u8,
    ) -> u8;
    fn with(
        &self,
    ) -> u8 {
        1
    }
}
";

    #[test]
    fn code_lines_are_counted_without_blanks_and_remarks() {
        let mut pulse = Pulse::default();
        pulse.add("a.rs", SOURCE);
        let lengths: Vec<usize> = pulse.functions.iter().map(|f| f.lines).collect();
        assert_eq!(lengths, [2, 1]);
        assert_eq!(pulse.files[0].lines, 16);
    }
}
