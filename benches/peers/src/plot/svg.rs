//! A writer of SVG, as much of it as bar charts take.

use std::fmt::{Display, Write};

/// Colours of writing and lines, for light and dark surroundings.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}\
.title{font-size:15px;font-weight:600}\
.minor{font-size:10px;fill:#59636e}\
.grid{stroke:#d1d9e0}\
.spread{stroke:#1f2328}\
@media(prefers-color-scheme:dark){\
text{fill:#f0f6fc}\
.minor{fill:#9198a1}\
.grid{stroke:#3d444d}\
.spread{stroke:#f0f6fc}\
}";

/// A picture that is being drawn.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
}

/// Where a text begins, is centred or ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new() -> Self {
        Self {
            body: String::new(),
        }
    }

    /// A filled rectangle that says `hint` when it is pointed at.
    pub(super) fn bar(&mut self, at: (f64, f64), size: (f64, f64), colour: &str, hint: &str) {
        self.line(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\">\
             <title>{}</title></rect>",
            at.0,
            at.1,
            size.0,
            size.1,
            escaped(hint)
        ));
    }

    /// A line of a class of the style sheet.
    pub(super) fn stroke(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.line(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A text, of a class of the style sheet or of none.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.line(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
            at.0,
            at.1,
            escaped(text)
        ));
    }

    fn line(&mut self, element: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.body, "{element}");
    }

    /// The picture, with a description for those who do not see it.
    pub(super) fn finish(self, width: f64, height: f64, description: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n{}</svg>\n",
            escaped(description),
            self.body
        )
    }
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_an_element() {
        let mut svg = Svg::new();
        svg.text((1.0, 2.0), Anchor::Start, "", "<a & \"b\">");
        let text = svg.finish(10.0, 10.0, "x");
        assert!(text.contains(">&lt;a &amp; &quot;b&quot;&gt;</text>"));
    }

    #[test]
    fn both_surroundings_have_their_colours() {
        let text = Svg::new().finish(10.0, 20.0, "nothing");
        assert!(
            text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 20\"")
        );
        assert!(text.contains("prefers-color-scheme:dark"));
        assert!(text.contains("<title>nothing</title>"));
    }
}
