/* Plays what the page was given. Every number comes as text from fanin's engine; here
   texts and classes are changed and nothing is computed. No import, so that one file
   can hold it. */
"use strict";
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const PACE = 900;
  const NAMES = { forward: "forward pass", backward: "backward pass", update: "the next update" };

  class Player {
    constructor(root, frames) {
      this.root = root;
      this.net = root.querySelector("svg.net");
      this.at = 0;
      this.sample = 0;
      this.timer = 0;
      this.spoken = 0;
      this.find = (name) => root.querySelector(`[data-${name}]`);
      root.classList.add("ready");
      root.querySelectorAll("[data-do]").forEach((button) =>
        button.addEventListener("click", () => this.act(button.dataset.do)));
      this.find("scrub").addEventListener("input", (event) => {
        this.pause();
        this.go(Number(event.target.value));
      });
      this.find("sample").addEventListener("change", (event) => {
        this.sample = Number(event.target.value);
        this.show();
      });
      this.find("exact").addEventListener("change", () => this.show());
      this.root.querySelectorAll("[data-entry]").forEach((edge) => {
        for (const kind of ["focus", "pointerenter"])
          edge.addEventListener(kind, () => this.point(edge.dataset.entry));
      });
      this.root.addEventListener("keydown", (event) => this.press(event));
      this.load(frames);
    }

    load(frames) {
      this.pause();
      this.frames = frames;
      this.last = 3 * frames.nSteps;
      this.find("scrub").max = this.last;
      this.go(Math.min(this.at, this.last));
    }

    get step() { return Math.floor(this.at / 3); }
    get phase() { return this.frames.phases[this.at % 3]; }
    get moment() { return this.frames.moments[this.step]; }

    value(key) {
      return this.moment.samples[this.sample][key] ?? this.moment.all[key];
    }

    go(at) {
      this.at = Math.max(0, Math.min(at, this.last));
      this.show();
    }

    show() {
      const exact = this.find("exact").checked ? 1 : 0;
      const { all, samples, looks, says } = this.moment;
      const own = samples[this.sample];
      const put = (element, pair) => {
        if (!pair) return;
        if (element.textContent !== pair[exact]) element.textContent = pair[exact];
        if (element.title !== undefined && element.localName === "span") element.title = pair[1];
      };
      const live = this.root.querySelectorAll("[data-k], [data-s]");
      for (const element of live) {
        if (element.closest(".still")) continue;
        put(element, element.dataset.k ? all[element.dataset.k] : own[element.dataset.s]);
      }
      for (const edge of this.net.querySelectorAll("[data-look]"))
        edge.setAttribute("class", `edge ${looks[edge.dataset.look]}`);
      for (const unit of this.net.querySelectorAll("[data-zero]"))
        unit.classList.toggle("zero", own[unit.dataset.zero][1] === "0");
      for (const flow of this.net.querySelectorAll("[data-flow]")) this.flow(flow, own, all);
      this.net.dataset.phase = this.phase;
      this.find("scrub").value = this.at;
      const words = says[this.at % 3];
      this.find("says").textContent = words;
      const where = `${this.step} of ${this.frames.nSteps} updates · ${NAMES[this.phase]}`;
      this.find("at").textContent = where;
      this.find("scrub").setAttribute("aria-valuetext", where);
      this.say(`${where}. ${words}`);
      for (const edge of this.net.querySelectorAll("[data-entry]"))
        edge.setAttribute("aria-label", this.chain(edge.dataset.entry));
      if (this.pointed) this.find("chain").textContent = this.chain(this.pointed);
    }

    flow(line, own, all) {
      const weight = all[line.dataset.flow][1];
      const forward = weight !== "0" && own[line.dataset.from][1] !== "0";
      const gradient = own[`g:${line.dataset.flow}`][1] !== "0";
      line.classList.toggle("on", this.phase === "forward" ? forward : this.phase === "backward" && gradient);
    }

    /** dL/dw as its product, with this sample's numbers, every digit of them. */
    chain(key) {
      const name = this.frames.names[key];
      const parts = this.frames.chains[key];
      const left = parts.map(([word]) => word).join(" · ");
      const right = parts.map(([, place]) => {
        const text = this.value(place)[1];
        return text.startsWith("−") ? `(${text})` : text;
      }).join(" · ");
      const product = `${right} = ${this.value(`g:${key}`)[1]}`;
      const one = parts.length > 1 ? `${left} = ${product}` : `${left} = ${this.value(`g:${key}`)[1]}`;
      return `${name} = ${this.value(key)[1]};  dL/d${name} = ${one}`;
    }

    point(key) {
      this.pointed = key;
      this.find("chain").textContent = this.chain(key);
    }

    say(words) {
      const status = this.find("status");
      const now = performance.now();
      clearTimeout(this.speaking);
      const speak = () => { this.spoken = performance.now(); status.textContent = words; };
      if (now - this.spoken > 1000) speak();
      else this.speaking = setTimeout(speak, 1000 - (now - this.spoken));
    }

    act(what) {
      if (what === "play") {
        if (this.timer) this.pause();
        else this.play();
        return;
      }
      this.pause();
      if (what === "reset") this.go(0);
      if (what === "back") this.go(this.at - 1);
      if (what === "step") this.go(this.at + 1);
      if (what === "update") this.go(3 * (this.step + 1));
    }

    play() {
      if (this.at >= this.last) this.go(0);
      const stride = calm.matches ? 3 : 1;
      this.timer = setInterval(() => {
        this.go(this.at + stride);
        if (this.at >= this.last) this.pause();
      }, calm.matches ? 3 * PACE : PACE);
      this.label("Pause", true);
    }

    pause() {
      clearInterval(this.timer);
      this.timer = 0;
      this.label("Play", false);
    }

    label(word, pressed) {
      const button = this.root.querySelector('[data-do="play"]');
      button.textContent = word;
      button.classList.toggle("on", pressed);
    }

    press(event) {
      const tag = event.target.localName;
      if (event.ctrlKey || event.altKey || event.metaKey || ["input", "select", "button", "summary"].includes(tag)) return;
      const does = { " ": "play", ArrowRight: "step", ArrowLeft: "back", r: "reset", R: "reset" }[event.key];
      if (!does) return;
      event.preventDefault();
      this.act(does);
    }
  }

  /* Predict first: what follows is shown once an answer is chosen. */
  function ask(form) {
    const page = form.closest("main, body");
    page.classList.add("asking");
    const reveal = (choice) => {
      page.classList.remove("asking");
      const right = form.dataset.answer;
      const note = form.querySelector("[data-verdict]");
      if (choice !== undefined)
        note.textContent = choice === right ? "Right." : "Not so. See why below.";
      form.querySelectorAll("input").forEach((input) => {
        const item = input.closest("li");
        item.classList.toggle("right", input.value === right);
        item.classList.toggle("wrong", input.value === choice && choice !== right);
      });
      document.dispatchEvent(new CustomEvent("answered", { detail: { right: choice === right } }));
    };
    form.querySelectorAll("input").forEach((input) =>
      input.addEventListener("change", () => reveal(input.value)));
    form.querySelector("[data-skip]").addEventListener("click", () => reveal(undefined));
  }

  /* A formula that is wider than its place can be reached and scrolled by keys. */
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const watch = () => document.querySelectorAll(".formula").forEach((one) => wide.observe(one));
  watch();
  document.addEventListener("frames", watch);

  const data = JSON.parse(document.getElementById("fanin-data").textContent);
  const players = {};
  document.querySelectorAll("[data-player]").forEach((root) => {
    players[root.dataset.player] = new Player(root, data.frames[root.dataset.player]);
  });
  document.querySelectorAll("form.predict").forEach(ask);
  document.addEventListener("frames", (event) => {
    for (const [name, frames] of Object.entries(event.detail)) players[name]?.load(frames);
  });
})();
