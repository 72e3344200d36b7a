/**
 * The mailbox in a browser: nothing but this document, which shows pages as they arrive. Texts are set as text, never as markup; it may load nothing from elsewhere.
 */
export const mailboxHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'",
} as const;

export const mailboxDocument = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Codeblue lab: mailbox</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
  ol { list-style: none; margin: 0; padding: 0; }
  li { border-inline-start: .4rem solid #777; margin: 0 0 1rem; padding: .2rem 0 .2rem .8rem; }
  li[data-severity="1"] { border-color: #c5221f; } li[data-severity="2"] { border-color: #e37400; } li[data-severity="3"] { border-color: #1a73e8; }
  h2 { font-size: 1rem; margin: 0; } p { margin: 0; } pre { margin: .3rem 0; white-space: pre-wrap; font: inherit; }
  a { display: inline-block; border: 1px solid; border-radius: .3rem; padding: .2rem .8rem; text-decoration: none; }
  a:focus-visible { outline: .2rem solid; outline-offset: .1rem; }
</style>
<h1>Mailbox of the lab</h1>
<p id="state" role="status">Connecting.</p>
<ol id="pages" aria-live="polite" aria-label="Pages, newest first"></ol>
<script>
  const list = document.getElementById('pages');
  const state = document.getElementById('state');
  const add = (parent, name, text) => { const made = document.createElement(name); made.textContent = text; parent.append(made); return made; };
  let count = 0;
  const source = new EventSource('/events');
  source.onopen = () => { list.replaceChildren(); count = 0; state.textContent = 'Waiting for pages.'; };
  source.onerror = () => { state.textContent = 'The lab does not answer. It may have ended.'; };
  source.onmessage = ({ data }) => {
    const page = JSON.parse(data);
    const item = document.createElement('li');
    item.dataset.severity = page.severity;
    add(item, 'h2', page.subject);
    add(item, 'p', page.at.slice(11, 19) + ' to ' + page.person + ' by ' + page.method);
    add(item, 'pre', page.body);
    if (page.acknowledgeUrl) {
      const link = add(item, 'a', 'Acknowledge as ' + page.person);
      link.href = page.acknowledgeUrl; link.target = '_blank'; link.rel = 'noopener noreferrer';
    }
    list.prepend(item);
    count += 1;
    state.textContent = count + (count === 1 ? ' page.' : ' pages.');
  };
</script>
</html>
`;
