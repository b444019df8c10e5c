//! A report, written once and shown as Markdown or as a page of its own.

use std::fmt::Write;

/// What a report is made of. Text may hold `**strong**` and `` `code` ``.
#[derive(Clone, Debug)]
pub enum Block {
    /// Level 1 to 3.
    Heading(u8, String),
    Text(String),
    Items(Vec<String>),
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    /// An SVG; `name` is its file's stem.
    Figure {
        name: String,
        svg: String,
        caption: String,
    },
}

/// A report.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub blocks: Vec<Block>,
}

impl Document {
    pub fn heading(&mut self, level: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    pub fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table { head: head.iter().map(|&h| h.to_owned()).collect(), rows });
    }

    pub fn figure(&mut self, name: &str, svg: String, caption: impl Into<String>) {
        self.blocks.push(Block::Figure { name: name.into(), svg, caption: caption.into() });
    }

    /// As Markdown; figures are links to `figures/NAME.svg`.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            // Writing to a string cannot fail.
            let _ = match block {
                Block::Heading(level, text) => writeln!(out, "{} {text}\n", "#".repeat((*level).into())),
                Block::Text(text) => writeln!(out, "{text}\n"),
                Block::Items(items) => {
                    items.iter().for_each(|item| {
                        let _ = writeln!(out, "* {item}");
                    });
                    writeln!(out)
                }
                Block::Table { head, rows } => {
                    let _ = writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
                    for row in rows {
                        let _ = writeln!(out, "| {} |", row.join(" | "));
                    }
                    writeln!(out)
                }
                Block::Figure { name, caption, .. } => {
                    writeln!(out, "![{caption}](figures/{name}.svg)\n\n*{caption}*\n")
                }
            };
        }
        out
    }

    /// As a page that needs no other file.
    pub fn html(&self, title: &str) -> String {
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{STYLE}</style></head>\n<body>\n",
            escaped(title)
        );
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(level, text) => writeln!(out, "<h{level}>{}</h{level}>", inline(text)),
                Block::Text(text) => writeln!(out, "<p>{}</p>", inline(text)),
                Block::Items(items) => {
                    let items: String = items.iter().map(|i| format!("<li>{}</li>", inline(i))).collect();
                    writeln!(out, "<ul>{items}</ul>")
                }
                Block::Table { head, rows } => {
                    let cells = |row: &[String], tag: &str| -> String {
                        row.iter().map(|c| format!("<{tag}>{}</{tag}>", inline(c))).collect()
                    };
                    let _ = writeln!(
                        out,
                        "<div class=\"scroll\"><table><thead><tr>{}</tr></thead><tbody>",
                        cells(head, "th")
                    );
                    for row in rows {
                        let _ = writeln!(out, "<tr>{}</tr>", cells(row, "td"));
                    }
                    writeln!(out, "</tbody></table></div>")
                }
                Block::Figure { svg, caption, .. } => {
                    writeln!(
                        out,
                        "<figure>{}<figcaption>{}</figcaption></figure>",
                        bare(svg),
                        inline(caption)
                    )
                }
            };
        }
        out.push_str("</body></html>\n");
        out
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;\
     background:#fff}h1,h2,h3{line-height:1.2}h2{margin-top:2.5rem}.scroll{overflow-x:auto}table{border-collapse:collapse;\
     font-size:.85rem;font-variant-numeric:tabular-nums}th,td{border-bottom:1px solid #ddd;padding:.25rem .6rem;\
     text-align:right;white-space:nowrap}th{vertical-align:bottom}th:first-child,td:first-child{text-align:left}\
     figure{margin:1.5rem 0}svg{max-width:100%;height:auto}figcaption{color:#555;font-size:.9rem}\
     code{background:#f2f2f2;padding:0 .2rem;overflow-wrap:anywhere}";

/// An SVG without its XML declaration, which has no place inside a page.
fn bare(svg: &str) -> &str {
    svg.find("<svg").map_or(svg, |start| &svg[start..]).trim_end()
}

/// Text as HTML and SVG have it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes, and turns `**strong**` and `` `code` `` into tags.
fn inline(text: &str) -> String {
    let mut out = escaped(text);
    for (mark, tag) in [("**", "strong"), ("`", "code")] {
        let pieces: Vec<&str> = out.split(mark).collect();
        let mut next = String::new();
        for (i, piece) in pieces.iter().enumerate() {
            // A mark without its partner stays.
            match (i % 2 == 1, i + 1 < pieces.len()) {
                (true, true) => next += &format!("<{tag}>{piece}</{tag}>"),
                (true, false) => next += &format!("{mark}{piece}"),
                (false, _) => next += piece,
            }
        }
        out = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_the_same_in_both_forms() {
        let mut d = Document::default();
        d.heading(2, "A < B");
        d.text("**Fails** for `x`, 2 ** 3");
        d.table(&["a", "b"], vec![vec!["1".into(), "<2>".into()]]);
        d.figure("f", "<?xml version=\"1.0\"?>\n<svg></svg>".into(), "a figure");
        let (md, html) = (d.markdown(), d.html("t"));
        assert!(md.contains("## A < B") && md.contains("| 1 | <2> |") && md.contains("(figures/f.svg)"));
        assert!(html.contains("<h2>A &lt; B</h2>") && html.contains("<td>&lt;2&gt;</td>"));
        assert!(
            html.contains("<strong>Fails</strong> for <code>x</code>, 2 ** 3") && !html.contains("<?xml")
        );
    }
}
