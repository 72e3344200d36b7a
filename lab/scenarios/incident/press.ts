/** What the person saw who opened a link and pressed its button. */
export interface Pressed {
  /** Of the page with the button, and of the answer to pressing it. */
  readonly shown: number;
  readonly answered: number;
}

/** Opens the link of a page as a browser does, and presses the button: the form posts to the page's own address. */
export async function press(url: string): Promise<Pressed> {
  const get = async (method: 'GET' | 'POST'): Promise<number> => {
    const response = await fetch(url, { method, headers: { connection: 'close' } });
    await response.body?.cancel();
    return response.status;
  };
  const shown = await get('GET');
  return { shown, answered: await get('POST') };
}
