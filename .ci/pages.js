// What is wrong with a page of a cell, as it is laid out: appended to the page by `.ci/pages`, which reads the verdict.
window.addEventListener("load", () => {
    const faults = [];
    const all = (selector, within = document) => [...within.querySelectorAll(selector)];
    const place = element => element.getBoundingClientRect();
    // What is seen: a browser draws no invisible operator, and what is folded away has no size.
    for (const details of all("details")) details.open = true;
    const overlap = (a, b) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;

    const formulas = all(".docblock math");
    if (formulas.length === 0) faults.push("no formula");
    for (const part of formulas.flatMap(formula => [formula, ...all("mi, mn, mo, mfrac, msqrt, mtable, msub, msup, mover", formula)])) {
        const { width, height } = place(part);
        if (part.textContent.trim() !== "\u2061" && (width <= 0 || height <= 0)) faults.push(`<${part.localName}> ${part.textContent} has no size`);
    }
    if (all("merror").length > 0) faults.push("an error in a formula");

    // Fractions and indices are set as such, not in a row.
    for (const part of all(".docblock msub")) {
        // How far an index is lowered is the font's matter: one that isn't made for formulas hardly lowers it.
        const [base, index] = [...part.children].map(place);
        const [size, smaller] = [...part.children].map(child => parseFloat(getComputedStyle(child).fontSize));
        if (index.left < base.right - 4 || index.bottom < base.bottom || smaller >= size) faults.push(`the index of ${part.textContent} stands beside it`);
    }
    for (const part of all(".docblock mfrac")) {
        const [above, below] = [...part.children].map(place);
        if (above.bottom > below.top + 1) faults.push(`${part.textContent} is no fraction`);
    }

    const drawings = all(".docblock .rnn-scroll svg");
    if (drawings.length !== 1) faults.push(`${drawings.length} drawings`);
    for (const drawing of drawings) {
        const texts = all("text", drawing);
        texts.forEach((text, index) => {
            const box = place(text.parentNode.querySelector("rect"));
            const { left, right, top, bottom } = place(text);
            if (right <= left) faults.push(`${text.textContent} has no size`);
            if (left < box.left || right > box.right || top < box.top - 1 || bottom > box.bottom + 1) faults.push(`${text.textContent} leaves its box`);
            for (const other of texts.slice(0, index)) {
                // The two lines of one box touch where letters have neither ascenders nor descenders.
                const same = other.parentNode === text.parentNode;
                if (!same && overlap(place(text), place(other))) faults.push(`${text.textContent} overlaps ${other.textContent}`);
            }
        });
        const boxes = all("rect", drawing);
        boxes.forEach((box, index) => {
            if (boxes.slice(0, index).some(other => overlap(place(box), place(other)))) faults.push("boxes overlap");
        });
        const letters = getComputedStyle(texts[0]).fill;
        if (letters !== getComputedStyle(drawing.closest(".docblock")).color) faults.push(`letters are ${letters}`);
    }

    // Drawings scroll where they are wide; formulas and tables fit.
    for (const block of all(".docblock .rnn-scroll")) {
        if (!block.querySelector("svg") && block.scrollWidth > block.clientWidth) faults.push(`${block.firstElementChild.localName} is ${block.scrollWidth} wide`);
    }
    // Signatures below are rustdoc's own affair.
    const ours = document.querySelector(".docblock:has(.rnn-math)");
    for (const child of ours.children) {
        if (place(child).right > place(ours).right + 1) faults.push(`${child.localName} is wider than the page`);
    }

    const verdict = faults.length === 0 ? `ok ${formulas.length} formulas` : faults.slice(0, 5).join("; ");
    document.body.dataset.verdict = verdict.replaceAll('"', "'");
});
