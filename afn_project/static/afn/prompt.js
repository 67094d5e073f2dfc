// The prompt editor: messages of a chat, what goes to the cursor, sample values, and the bar that saves.
const editor = document.querySelector("[data-editor]");
const form = document.querySelector("#prompt_form");
const side = document.querySelector("#afn-side");
const content = document.querySelector("#id_content");

// What somebody would have typed: undo takes it back, and whoever listens for input hears of it.
let cursor = content;

function insert(text) {
  if (!cursor?.isConnected) cursor = content;
  cursor.focus();
  if (document.execCommand("insertText", false, text)) return;
  cursor.setRangeText(text, cursor.selectionStart, cursor.selectionEnd, "end");
  cursor.dispatchEvent(new Event("input", { bubbles: true }));
}

const insertVariable = (name) => insert(`{{${name}}}`);

// As prompts/rendering/names.py has it.
const NAME = /^[\p{L}_][\p{L}\p{N}_.-]{0,63}$/u;

function startInserting() {
  editor.addEventListener("focusin", ({ target }) => {
    if (target === content || target.matches("[data-content]")) cursor = target;
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-insert], [data-insert-variable]");
    if (!button) return;
    button.closest("[data-menu]")?.removeAttribute("open");
    if (button.dataset.insert) insert(button.dataset.insert);
    else insertVariable(button.dataset.insertVariable);
  });
  const name = editor.querySelector("[data-variable-name]");
  name.addEventListener("input", () => name.setCustomValidity(""));
  const insertNamed = () => {
    if (!name.value.trim()) return name.focus();
    name.setCustomValidity(NAME.test(name.value.trim()) ? "" : name.dataset.wrong);
    if (!name.reportValidity()) return;
    name.closest("[data-menu]").removeAttribute("open");
    insertVariable(name.value.trim());
    name.value = "";
  };
  editor.querySelector("[data-insert-named]").addEventListener("click", insertNamed);
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      insertNamed();
    }
  });
}

// Menus: the first box is ready to be typed in; Escape and a click elsewhere close them.
function startMenus() {
  for (const menu of editor.querySelectorAll("[data-menu]")) {
    menu.addEventListener("toggle", () => menu.open && menu.querySelector("input").focus());
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", ({ target }) => menu.contains(target) || (menu.open = false));
  }
}

// A chat is the JSON of the box below; rows write it as the registry does, so that what is the same stays so.
class Messages {
  constructor() {
    this.box = editor.querySelector("[data-messages]");
    this.rows = this.box.querySelector("[data-rows]");
    this.modes = editor.querySelector("[data-modes]");
    this.said = this.box.querySelector("[data-said]");
    this.type = document.querySelector("#id_type");
    this.mode = "messages";
    this.box.addEventListener("input", ({ target }) => target.closest("[data-rows]") && this.write());
    this.box.addEventListener("change", ({ target }) => target.closest("[data-rows]") && this.write());
    this.box.addEventListener("click", (event) => this.click(event));
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.modes.addEventListener("click", ({ target }) => {
      if (target.dataset.mode) this.show(target.dataset.mode);
    });
    this.type?.addEventListener("change", () => this.show(this.mode));
    this.show(this.mode);
  }

  get isChat() {
    return (this.type?.value ?? editor.dataset.type) === "chat";
  }

  show(mode) {
    const isChat = this.isChat;
    this.mode = mode;
    this.modes.hidden = !isChat;
    for (const label of document.querySelectorAll("[data-for-chats]")) label.hidden = !isChat;
    const listed = isChat && mode === "messages" ? this.parse() : null;
    const isBroken = isChat && mode === "messages" && listed === null;
    this.box.hidden = !(isChat && mode === "messages");
    this.box.querySelector("[data-broken]").hidden = !isBroken;
    content.hidden = Boolean(listed);
    this.rows.replaceChildren(...(listed ?? []).map((message) => this.row(message)));
    this.number();
    for (const button of this.modes.children) button.setAttribute("aria-pressed", button.dataset.mode === mode);
  }

  // The messages, of an empty box a first one; null where it is none of a chat.
  parse() {
    if (!content.value.trim()) return [{ role: "system", content: "" }];
    try {
      const found = JSON.parse(content.value);
      const fits = Array.isArray(found) && found.every((one) => one && typeof one === "object" && !Array.isArray(one));
      return fits ? found : null;
    } catch {
      return null;
    }
  }

  row(message) {
    const kind = message.type === "placeholder" ? "placeholder" : "message";
    const row = editor.querySelector(`template[data-row="${kind}"]`).content.firstElementChild.cloneNode(true);
    if (kind === "placeholder") {
      row.querySelector("[data-name]").value = message.name ?? "";
      return row;
    }
    const role = row.querySelector("[data-role]");
    const wanted = String(message.role ?? "user");
    if (![...role.options].some((one) => one.value === wanted)) role.add(new Option(wanted, wanted));
    role.value = wanted;
    row.querySelector("[data-content]").value = message.content ?? "";
    return row;
  }

  write() {
    const lines = [...this.rows.children].map((row) => {
      const name = row.querySelector("[data-name]");
      if (name) return `{"type": "placeholder", "name": ${JSON.stringify(name.value)}}`;
      const role = JSON.stringify(row.querySelector("[data-role]").value);
      return `{"role": ${role}, "content": ${JSON.stringify(row.querySelector("[data-content]").value)}}`;
    });
    content.value = lines.length ? `[\n${lines.join(",\n")}\n]` : "";
    content.dispatchEvent(new Event("input", { bubbles: true }));
  }

  click({ target }) {
    const button = target.closest("button");
    const row = button?.closest("[data-rows] > li");
    if (button?.dataset.add) this.add(button.dataset.add);
    else if (button?.dataset.move) this.move(row, Number(button.dataset.move), button);
    else if (button && "remove" in button.dataset) this.remove(row);
  }

  key(event) {
    const row = event.target.closest("[data-rows] > li");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!row || !step || !event.altKey || event.isComposing) return;
    event.preventDefault();
    this.move(row, step, event.target);
  }

  add(kind) {
    const last = [...this.rows.querySelectorAll("[data-role]")].at(-1)?.value;
    const message = kind === "placeholder" ? { type: kind, name: "" } : { role: last === "user" ? "assistant" : "user" };
    if (this.box.querySelector("[data-broken]").hidden === false) return this.restart(message);
    const row = this.row(message);
    this.rows.append(row);
    this.done(row.querySelector("[data-content], [data-name]"));
  }

  // Instead of what cannot be read.
  restart(message) {
    this.rows.replaceChildren(this.row(message));
    this.box.querySelector("[data-broken]").hidden = true;
    content.hidden = true;
    this.done(this.rows.querySelector("[data-content], [data-name]"));
  }

  move(row, step, focused) {
    const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (step < 0) other.before(row);
    else other.after(row);
    this.done(focused);
    this.said.textContent = `${this.said.dataset.moved} ${[...this.rows.children].indexOf(row) + 1}`;
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.done(next?.querySelector("[data-content], [data-name]") ?? this.box.querySelector("[data-add]"));
    this.said.textContent = this.said.dataset.removed;
  }

  done(focused) {
    this.number();
    this.write();
    focused?.focus();
  }

  number() {
    [...this.rows.children].forEach((row, at) => {
      row.querySelector('[data-move="-1"]').disabled = at === 0;
      row.querySelector('[data-move="1"]').disabled = at === this.rows.children.length - 1;
      const text = row.querySelector("[data-content]");
      if (text) text.ariaLabel = `${text.getAttribute("aria-label").replace(/ \d+$/, "")} ${at + 1}`;
    });
  }
}

// Sample values stay in this tab, by prompt, and survive the boxes that the server sends anew.
function startSamples() {
  const key = `afn-samples:${editor?.dataset.key ?? location.pathname}`;
  const kept = () => JSON.parse(sessionStorage.getItem(key) ?? "{}");
  const fill = () => {
    const values = kept();
    let isNew = false;
    for (const box of side.querySelectorAll("#afn-variables [name]")) {
      if (!(box.name in values) || box.value === values[box.name]) continue;
      box.value = values[box.name];
      isNew = true;
    }
    return isNew;
  };
  side.addEventListener("input", ({ target }) => {
    if (!target.closest("#afn-variables")) return;
    sessionStorage.setItem(key, JSON.stringify({ ...kept(), [target.name]: target.value }));
  });
  // Where the variables are the same, their boxes stay as they are: somebody may be typing in them.
  side.addEventListener("htmx:oobBeforeSwap", holdBack);
  side.addEventListener("htmx:oobAfterSwap", () => {
    listNames();
    if (fill()) side.querySelector("#afn-variables [name]").dispatchEvent(new Event("input", { bubbles: true }));
  });
  const failed = side.querySelector("[data-preview-failed]");
  side.addEventListener("htmx:afterRequest", ({ detail }) => (failed.hidden = detail.successful));
}

function holdBack(event) {
  const { target, fragment } = event.detail;
  const fresh = fragment.firstElementChild;
  if (target.id === "afn-variables" && fresh?.dataset.signature === target.dataset.signature) {
    event.detail.shouldSwap = false;
  }
}

function listNames() {
  const names = [...side.querySelectorAll("#afn-variables [data-insert-variable]")];
  const options = names.map((one) => new Option(one.dataset.insertVariable));
  editor?.querySelector("#afn-variable-names").replaceChildren(...options);
}

// The bar says what saving would do, and Ctrl or Cmd with S or Enter does it.
function startSaving(bar) {
  const note = bar.querySelector("[data-save-note]");
  const versioned = ["content", "template_format", "variables", "config"];
  const others = () => [...form.elements].filter((one) => one.name && one.type !== "hidden" && one.name !== "message");
  const state = (box) => (box.type === "checkbox" ? box.checked : box.value);
  const before = new Map(others().map((box) => [box, state(box)]));
  const look = () => {
    const changed = others().filter((box) => before.get(box) !== state(box));
    if (bar.dataset.refused) note.textContent = bar.dataset.refused;
    else if (!editor?.dataset.type) note.textContent = bar.dataset.first;
    else if (changed.some((box) => versioned.includes(box.name))) note.textContent = bar.dataset.new;
    else note.textContent = changed.length ? bar.dataset.properties : bar.dataset.nothing;
  };
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
    if (event.key !== "Enter" && event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form.requestSubmit(bar.querySelector("[name=_save]"));
  });
  // What was refused is in the form alone: to unfold, which warns who leaves, it counts as typed.
  if (bar.dataset.refused) addEventListener("load", () => setTimeout(() => others()[0].dispatchEvent(new Event("input"))));
}

if (editor) {
  startInserting();
  startMenus();
  new Messages();
}
if (side) startSamples();
const bar = document.querySelector("[data-savebar]");
if (bar) startSaving(bar);
