"use strict";
(() => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("ockham-theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("ockham-theme", theme); } catch { /* a file:// page may have no storage */ } };
  if (stored()) root.dataset.theme = stored();
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    store(root.dataset.theme);
  });

  const tip = document.getElementById("tip");
  document.addEventListener("pointermove", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    tip.hidden = !target;
    if (!target) return;
    tip.textContent = target.dataset.tip;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${event.clientY + height + 26 > innerHeight ? event.clientY - height - 12 : event.clientY + 16}px`;
  });

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      const text = document.querySelector(button.dataset.copy).innerText.replace(/\s*copy$/, "").trim();
      navigator.clipboard?.writeText(text).then(() => { button.textContent = "copied"; });
    });
  }

  for (const film of document.querySelectorAll(".film")) {
    const frames = [...film.querySelectorAll(".frame")];
    const [button, slider, said] = [film.querySelector("button"), film.querySelector("input"), film.querySelector("output")];
    let timer = 0;
    const show = (place) => {
      frames.forEach((frame, index) => { frame.hidden = index !== place; });
      slider.value = place;
      said.textContent = frames[place].dataset.moment;
      slider.setAttribute("aria-valuetext", said.textContent);
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      button.textContent = "▶";
      button.setAttribute("aria-label", "Play");
    };
    const play = () => {
      if (timer) { stop(); return; }
      if (Number(slider.value) === frames.length - 1) show(0);
      button.textContent = "❚❚";
      button.setAttribute("aria-label", "Pause");
      timer = setInterval(() => {
        const next = Number(slider.value) + 1;
        if (next < frames.length) show(next); else stop();
      }, 350);
    };
    button.addEventListener("click", play);
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    slider.addEventListener("keydown", (event) => {
      if (event.key !== " ") return; // arrows, Home and End are the slider's own
      event.preventDefault();
      play();
    });
    film.hidden = false;
    film.parentElement.classList.add("moving");
    show(0);
  }

  const zooming = [...document.querySelectorAll("image.zooms")];
  if (zooming.length) {
    const dialog = document.createElement("dialog");
    const [large, said] = [document.createElement("img"), document.createElement("p")];
    dialog.className = "zoom";
    dialog.append(large, said);
    document.body.append(dialog);
    let at = 0;
    const show = (place) => {
      at = (place + zooming.length) % zooming.length;
      large.src = zooming[at].getAttribute("href");
      large.alt = said.textContent = zooming[at].dataset.tip;
      if (!dialog.open) dialog.showModal();
    };
    zooming.forEach((image, place) => {
      image.setAttribute("tabindex", "0");
      image.setAttribute("role", "button");
      image.setAttribute("aria-label", image.dataset.tip);
      image.addEventListener("click", () => show(place));
      image.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        show(place);
      });
    });
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => zooming[at].focus());
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) { event.preventDefault(); show(at + step); }
    });
  }

  const table = document.getElementById("trials");
  if (!table) return;
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value ?? cell.textContent;
    return value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === ""); // what is absent goes last
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((r, s) => {
        const [a, b] = [key(r, column), key(s, column)];
        return a === "" || b === "" || up ? compare(a, b) : compare(b, a);
      });
      body.append(...rows);
    });
  });
  document.getElementById("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
})();
